#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# A failure at each allocation that loading and unloading our modules make: see
# test-failnth.c.
# timeout: 300
# vm: --append dma_debug=off
exec test-failnth load
