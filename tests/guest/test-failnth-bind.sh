#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# A failure at each allocation that binding and unbinding our devices make: see
# test-failnth.c.
# timeout: 200
# vm: --append dma_debug=off
exec test-failnth bind
