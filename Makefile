# SPDX-License-Identifier: GPL-2.0-only
# Everything that can be made here. `make help` tells what.
#
# All output goes to build/. Downloads, guest kernels and disk images go to a
# cache outside, which `make clean` leaves alone: $ZCDMA_CACHE, or
# ~/.cache/zcdma. What a target needs and this machine lacks is installed by
# tests/vm/deps, once.

top := $(CURDIR)
build := $(top)/build
vm := $(top)/tests/vm

# Which of the guest's kernels (see tests/vm/kernel), or which kernel's headers.
KERNEL ?= stock
KDIR ?=
# For `make test`: only tests whose name matches one of these shell patterns.
T ?=
DESTDIR ?=
PREFIX ?= /usr/local
KCFLAGS ?=

MAKEFLAGS += --no-print-directory
Q := $(if $(V),,@)
# What a short line says in place of a long one.
say = $(if $(V),@:,@printf '  %-7s %s\n' $(1) $(2:$(top)/%=%))

# ARCH and CROSS_COMPILE, where given, are for what is installed; the guest is arm64.
host_arch := $(subst x86_64,amd64,$(subst aarch64,arm64,$(shell uname -m)))
HOSTCC ?= gcc
guest_cross := $(if $(filter arm64,$(host_arch)),,aarch64-linux-gnu-)
GUEST_CC := $(guest_cross)gcc
ARMHF_CC := arm-linux-gnueabihf-gcc
warnings := -Wall -Wextra -Wno-unused-parameter
GUEST_CFLAGS := -O2 -g -std=gnu11 $(warnings) -I$(top)/uapi -I$(top)/userlib/include -I$(top)/tests/guest

.PHONY: all
all: modules $(if $(KDIR),programs,guest)

# --- Modules ---------------------------------------------------------------

# Where they are built, and what is said to kbuild about that kernel.
ifneq ($(KDIR),)
module_name := $(or $(shell cat $(KDIR)/include/config/kernel.release 2>/dev/null),$(error KDIR=$(KDIR) has no prepared kernel: neither its sources after `make modules_prepare` nor its headers))
module_kdir = $(abspath $(KDIR))
module_args = $(if $(ARCH),ARCH=$(ARCH)) $(if $(CROSS_COMPILE),CROSS_COMPILE=$(CROSS_COMPILE))
else
module_name := $(KERNEL)
module_kdir = $$($(vm)/kernel $(KERNEL))/build
module_args = ARCH=arm64 $(if $(guest_cross),CROSS_COMPILE=$(guest_cross))
endif
module_dir := $(build)/modules/$(module_name)
# Test-only modules go to guests, not to users.
test_modules := $(if $(KDIR),,$(patsubst $(top)/tests/modules/%.c,%.o,$(wildcard $(top)/tests/modules/*.c)))
kunit_modules := $(if $(KDIR),,$(patsubst $(top)/tests/kunit/%.c,%.o,$(wildcard $(top)/tests/kunit/*.c)))

# kbuild puts objects beside the Makefile it is pointed at. Point it at a folder
# of build/, whose Makefile takes driver/Kbuild and compiles the sources where
# they are: they stay clean, and errors name the real files.
define module_kbuild
# Made by the top-level Makefile.
$(shell sed -n 's/^obj-$$(\(CONFIG_[A-Z0-9_]*\)).*/\1 := m;/p' driver/Kbuild 2>/dev/null | sort -u)
src := $(top)/driver
include $$(src)/Kbuild
obj-m += $(test_modules) $$(if $$(CONFIG_KUNIT),$(kunit_modules))
# Coverage, on a kernel that can tell it.
GCOV_PROFILE := y
KCOV_INSTRUMENT := y
# Or else counters that two processors share come out negative, which gcovr refuses.
ccflags-$$(CONFIG_GCOV_KERNEL) += -fprofile-update=prefer-atomic $$(call cc-option,-mno-outline-atomics)
ccflags-y += $(MODULE_CFLAGS)
$$(obj)/%.o: $$(src)/%.c $$(recordmcount_source) FORCE
	$$(call if_changed_rule,cc_o_c)
	$$(call cmd,force_checksrc)
$$(obj)/%.o: $(top)/tests/modules/%.c $$(recordmcount_source) FORCE
	$$(call if_changed_rule,cc_o_c)
	$$(call cmd,force_checksrc)
$$(obj)/%.o: $(top)/tests/kunit/%.c $$(recordmcount_source) FORCE
	$$(call if_changed_rule,cc_o_c)
	$$(call cmd,force_checksrc)
endef

semicolon := ;
define newline


endef

.PHONY: modules
modules: $(if $(KDIR),,deps-build)
	$(shell mkdir -p $(module_dir))$(file >$(module_dir)/Makefile.new,$(subst $(semicolon),$(newline),$(module_kbuild)))
	$(Q)cmp -s $(module_dir)/Makefile.new $(module_dir)/Makefile || \
		cp $(module_dir)/Makefile.new $(module_dir)/Makefile
	$(Q)kdir=$(module_kdir) && flock $(module_dir)/.lock $(MAKE) -C "$$kdir" M=$(module_dir) \
		$(module_args) KCFLAGS="$(KCFLAGS)" $(module_flags) modules
	$(Q)touch $(module_dir)/.built

# --- Programs for the guest ------------------------------------------------

guest_sources := $(wildcard tests/guest/*.c)
guest_programs := $(guest_sources:tests/guest/%.c=$(build)/guest/%) $(build)/guest/fuzz
# A 32-bit build as well, where the source asks for it.
armhf_sources := $(if $(guest_sources),$(shell grep -l '\<build: armhf\>' $(guest_sources)))
armhf_programs := $(armhf_sources:tests/guest/%.c=$(build)/guest/%-armhf)
# And one with AddressSanitizer, the library included.
asan_sources := $(if $(guest_sources),$(shell grep -l '\<build: asan\>' $(guest_sources)))
asan_programs := $(asan_sources:tests/guest/%.c=$(build)/guest/%-asan)
asan_flags := -O1 -fno-omit-frame-pointer -fsanitize=address,undefined -fno-sanitize-recover=undefined

.PHONY: guest
guest: deps-build $(build)/vm/vmhost $(build)/vm/vmguest $(build)/vm/sysroot \
		$(guest_programs) $(armhf_programs) $(asan_programs) overlays userlib-arm64 $(build)/guest/zcdma-bench \
		$(build)/guest/zcdma-bench-sound

$(build)/vm/vmhost: tests/vm/vmhost.c | deps-build
	$(call say,HOSTCC,$@)
	$(Q)mkdir -p $(@D)
	$(Q)$(HOSTCC) -O2 -g -std=gnu11 $(warnings) -o $@ $<

$(build)/vm/vmguest: tests/vm/vmguest.c | deps-build
	$(call say,CC,$@)
	$(Q)mkdir -p $(@D)
	$(Q)$(GUEST_CC) -O2 -g -std=gnu11 $(warnings) -static -o $@ $<

# A link to the libraries that guest programs link with, in the cache.
$(build)/vm/sysroot: tests/vm/fetch | deps-build
	$(Q)mkdir -p $(@D)
	$(Q)ln -sfn $$($(vm)/fetch sysroot) $@

sysroot := $(build)/vm/sysroot
sysroot_flags := -isystem $(sysroot)/usr/include/aarch64-linux-gnu -isystem $(sysroot)/usr/include \
	-L$(sysroot)/usr/lib/aarch64-linux-gnu -Wl,-rpath-link,$(sysroot)/usr/lib/aarch64-linux-gnu

guest_headers := $(wildcard tests/guest/*.h uapi/linux/*.h)

# --- Library and command, for the guest -----------------------------------------

userlib := $(build)/userlib
guest_headers += userlib/include/zcdma.h

# The command with the C library's checks of buffers, as distributions build theirs.
.PHONY: userlib-arm64 userlib-armhf userlib-asan
userlib-arm64: deps-build $(build)/vm/sysroot
	$(Q)$(MAKE) $(if $(V),,-s) -C userlib O=$(userlib)/arm64 CC="$(GUEST_CC)" CFLAGS="-O2 -g $(sysroot_flags)" \
		LDFLAGS=-Wl,-rpath,/usr/lib/zcdma/guest all
	$(Q)mkdir -p $(build)/guest
	$(Q)for file in $(userlib)/arm64/examples/*; do \
		cp -pu "$$file" $(build)/guest/example-$${file##*/}; done
	$(Q)cp -pu $(userlib)/arm64/libzcdma.so.1 $(build)/guest/
	$(Q)$(MAKE) $(if $(V),,-s) -C tools/zcdma O=$(build)/tools/arm64 USERLIB=$(userlib)/arm64 CC="$(GUEST_CC)" \
		CFLAGS="-O2 -g -D_FORTIFY_SOURCE=2 $(sysroot_flags)" $(build)/tools/arm64/zcdma
	$(Q)cp -pu $(build)/tools/arm64/zcdma $(build)/guest/

userlib-armhf: deps-build
	$(Q)$(MAKE) $(if $(V),,-s) -C userlib O=$(userlib)/armhf CC="$(ARMHF_CC)" lib

userlib-asan: deps-build
	$(Q)$(MAKE) $(if $(V),,-s) -C userlib O=$(userlib)/asan CC="$(GUEST_CC)" CFLAGS="-g $(asan_flags)" \
		$(userlib)/asan/libzcdma.a

# What the fuzzer starts from is part of it.
$(build)/guest/fuzz: tests/fuzz/fuzz.c tests/fuzz/corpus $(guest_headers) | deps-build $(build)/vm/sysroot
	$(call say,CC,$@)
	$(Q)mkdir -p $(@D)
	$(Q)$(GUEST_CC) $(GUEST_CFLAGS) $(sysroot_flags) -DCORPUS='"tests/fuzz/corpus"' -o $@ $< -lpthread

# Made by those; whoever links with them is linked again when they have changed.
$(userlib)/arm64/libzcdma.a: userlib-arm64 ;
$(userlib)/armhf/libzcdma.a: userlib-armhf ;
$(userlib)/asan/libzcdma.a: userlib-asan ;

$(build)/guest/%-armhf: tests/guest/%.c $(guest_headers) $(userlib)/armhf/libzcdma.a | deps-build
	$(call say,CC32,$@)
	$(Q)mkdir -p $(@D)
	$(Q)$(ARMHF_CC) $(GUEST_CFLAGS) -D_FILE_OFFSET_BITS=64 -D_TIME_BITS=64 -static -o $@ $< \
		$(userlib)/armhf/libzcdma.a -lpthread

# The sanitizers' run-time libraries are inside: the guest need not have them.
$(build)/guest/%-asan: tests/guest/%.c $(guest_headers) $(userlib)/asan/libzcdma.a | deps-build $(build)/vm/sysroot
	$(call say,CCASAN,$@)
	$(Q)mkdir -p $(@D)
	$(Q)$(GUEST_CC) $(GUEST_CFLAGS) $(asan_flags) $(sysroot_flags) -static-libasan -static-libubsan -o $@ $< \
		$(userlib)/asan/libzcdma.a -lpthread

$(build)/guest/%: tests/guest/%.c $(guest_headers) $(userlib)/arm64/libzcdma.a | deps-build $(build)/vm/sysroot
	$(call say,CC,$@)
	$(Q)mkdir -p $(@D)
	$(Q)$(GUEST_CC) $(GUEST_CFLAGS) $(sysroot_flags) -o $@ $< $(userlib)/arm64/libzcdma.a \
		-Wl,--as-needed -lcmocka -lasound -lpthread -lm

# The kernel's own tests of sound cards, only for `make test`: they need the kernel's source.
alsa_selftests := $(build)/guest/pcm-test $(build)/guest/mixer-test

.PHONY: alsa-selftests
alsa-selftests: $(alsa_selftests)

$(alsa_selftests): tests/vm/selftests | deps-test $(build)/vm/sysroot
	$(call say,CC,$@)
	$(Q)mkdir -p $(@D)
	$(Q)dir=$$($(vm)/selftests) && \
	$(GUEST_CC) -O2 -g $(sysroot_flags) -o $@ $$dir/alsa/$(@F).c $$dir/alsa/conf.c -lasound -lpthread && \
	cp $$dir/alsa/pcm-test.conf $(@D)/

$(build)/guest/zcdma-bench: tests/bench/bench.c tests/bench/count.h $(guest_headers) $(userlib)/arm64/libzcdma.a
	$(call say,CC,$@)
	$(Q)mkdir -p $(@D)
	$(Q)$(GUEST_CC) $(GUEST_CFLAGS) $(sysroot_flags) -o $@ $< $(userlib)/arm64/libzcdma.a -lm

$(build)/guest/zcdma-bench-sound: tests/bench/sound.c tests/bench/count.h | deps-build $(build)/vm/sysroot
	$(call say,CC,$@)
	$(Q)mkdir -p $(@D)
	$(Q)$(GUEST_CC) $(GUEST_CFLAGS) $(sysroot_flags) -o $@ $< -lasound

# --- Device tree -------------------------------------------------------------

overlay_sources := $(wildcard dts/*.dtso tests/dts/*.dtso)
overlay_files := $(overlay_sources:%.dtso=$(build)/%.dtbo)

.PHONY: overlays
overlays: $(overlay_files)

$(build)/%.dtbo: %.dtso $(wildcard dts/*.dtsi) | deps-build
	$(call say,DTC,$@)
	$(Q)mkdir -p $(@D)
	$(Q)kdir=$$($(vm)/kernel $(KERNEL)) && \
	common=$$(ls -d $$kdir/src/linux-headers-*-common*/include $$kdir/build/source/include 2>/dev/null | head -n 1); \
	$(HOSTCC) -E -nostdinc -undef -D__DTS__ -x assembler-with-cpp -Idts \
		$${common:+-I$$common} -o $@.pp $<
	$(Q)dtc -q -@ -I dts -O dtb -o $@ $@.pp

# --- Running -----------------------------------------------------------------

.PHONY: demo test shell
shell: all deps-vm
	$(Q)$(vm)/run --kernel $(KERNEL) --shell

test: all deps-test alsa-selftests
	$(Q)tests/run --kernel $(KERNEL) $(if $(T),'$(T)')

# The same and more, on a kernel with sanitizers. KERNEL=kcsan: the one that looks
# for data races.
.PHONY: test-debug coverage fuzz
debug_kernel := $(if $(filter-out stock,$(KERNEL)),$(KERNEL),debug)
test-debug: deps-test deps-kernel alsa-selftests
	$(Q)$(MAKE) all KERNEL=$(debug_kernel)
	$(Q)tests/run --kernel $(debug_kernel) $(if $(T),'$(T)')

# Until it finds something, or Ctrl-C.
fuzz: deps-vm deps-kernel
	$(Q)$(MAKE) all KERNEL=debug
	$(Q)mkdir -p $(build)/fuzz
	$(Q)$(vm)/run --kernel debug --append dma_debug=off --timeout 1000000 --share $(build)/fuzz --log $(build)/fuzz/console.log -- \
		fuzz --time 1000000 --seed $$(date +%s) --save /mnt/share/corpus

coverage: deps-test deps-kernel deps-coverage alsa-selftests
	$(Q)$(MAKE) all KERNEL=debug
	$(Q)tests/coverage $(if $(T),'$(T)')

demo: all deps-vm
	$(Q)tests/vm/demo

.PHONY: bench
bench: all deps-vm
	$(Q)tests/bench/run

.PHONY: lint
lint: all deps-lint
	$(Q)tests/vm/lint

# --- Installing on the machine or board whose kernel KDIR is ------------------

.PHONY: programs install modules_install
ifeq ($(KDIR),)
programs install modules_install:
	$(error the modules here are the guest's; name the kernel to install for: make $@ KDIR=/lib/modules/$$(uname -r)/build)
else
# A CC of one's own wins, and its programs are kept apart from those of others.
install_cc := $(if $(filter default,$(origin CC)),$(CROSS_COMPILE)gcc,$(CC))
install_dir = $(build)/install/$(shell $(install_cc) -dumpmachine)
destdir := $(abspath $(DESTDIR))
make_install = $(MAKE) $(if $(V),,-s) CC="$(install_cc)" DESTDIR="$(destdir)" PREFIX="$(PREFIX)"

# Library, ALSA plugin and command, so that root has nothing to build.
programs:
	$(Q)$(make_install) -C userlib O=$(install_dir)/userlib lib alsa
	$(Q)$(make_install) -C tools/zcdma O=$(install_dir)/zcdma USERLIB=$(install_dir)/userlib

install: modules_install programs
	$(Q)$(make_install) -C userlib O=$(install_dir)/userlib install
	$(Q)$(make_install) -C tools/zcdma O=$(install_dir)/zcdma USERLIB=$(install_dir)/userlib install

# With the rules that name their devices.
modules_install: modules
	$(Q)install -D -m 644 -t $(destdir)/usr/lib/udev/rules.d tools/60-zcdma.rules
	$(Q)$(MAKE) -C $(module_kdir) M=$(module_dir) $(module_args) \
		$(if $(destdir),INSTALL_MOD_PATH=$(destdir)) INSTALL_MOD_DIR=updates/zcdma modules_install
endif

# --- Housekeeping --------------------------------------------------------------

deps := deps-build deps-vm deps-test deps-kernel deps-coverage deps-lint
.PHONY: $(deps)
$(deps): deps-%:
	$(Q)$(vm)/deps $*

.PHONY: clean distclean
clean:
	$(Q)rm -rf $(build)

distclean: clean
	$(Q)$(vm)/fetch clean

.PHONY: help
help:
	@cat tests/vm/make-help
