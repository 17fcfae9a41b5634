# SPDX-License-Identifier: GPL-2.0-only
# For people; kbuild reads Kbuild. `make help` lists the targets.

KERNEL ?=
TEST ?=
OUT ?=

# Used by `make install`: where to install, and for which kernel.
KDIR ?= /lib/modules/$(shell uname -r)/build
KREL ?= $(or $(shell cat $(KDIR)/include/config/kernel.release 2>/dev/null),$(shell uname -r))
BUILT ?= $(CURDIR)
DESTDIR ?=
PREFIX ?= /usr/local
MODDIR ?= /lib/modules/$(KREL)/updates/erofs-od
UNITDIR ?= $(PREFIX)/lib/systemd/system
UDEVDIR ?= $(PREFIX)/lib/udev/rules.d
MODPROBEDIR ?= $(PREFIX)/lib/modprobe.d
SYSCONFDIR ?= /etc
DEFAULTDIR ?= $(SYSCONFDIR)/default
APPARMORDIR ?= $(SYSCONFDIR)/apparmor.d

.PHONY: all help demo demo-boot check check-full matrix vm modules probes tools unit kunit debug mutants soak fuzz bench lint images sign html ci \
	deb rpm packages pkgtest install install-modules install-tools install-config install-apparmor \
	install-module-sources uninstall clean

all: modules tools

help:
	@echo 'Use'
	@echo '  make [KDIR=...]              both modules, and the tools, for the running kernel or another'
	@echo '  make install                 install modules, tools, man pages and units'
	@echo '     [DESTDIR=] [PREFIX=/usr/local] [KREL=release]'
	@echo '  make uninstall               remove them'
	@echo '  make modules, make tools     one of the two: erofs_od and cachefiles_od, erofs-od and erofs-odd'
	@echo '  make sign [KERNEL=|KDIR=] [KEY=file CERT=file | NEW_KEY=1]   sign both modules for Secure Boot'
	@echo '  make demo [KERNEL=6.1] [LOCAL=1]   mount an image lazily in a VM, compare every byte'
	@echo '  make demo-boot [KERNEL=6.1] [LOGIN=1]   boot a Debian from an on-demand image'
	@echo '  make html                    Documentation/ as one book: build/html'
	@echo '  make clean                   remove what was built; downloads stay in the cache'
	@echo
	@echo 'Develop'
	@echo '  make unit                    the suites of kunit/ in user space, under ASan and UBSan'
	@echo '  make lint                    the rules of CONTRIBUTING.md that a script can check'
	@echo '  make check [CI=true]         the tests that a change needs, 16 to 30 minutes; CI=true: 50 to 60'
	@echo '  make check-full              all tests'
	@echo '  make vm KERNEL=6.1 [TEST=name]   the guest tests, or one, on a stock kernel of SUPPORTED'
	@echo '     [ACCEL=kvm] [SMP=2] [MEM=2048] [CMDLINE=...] [TIMEOUT=900]'
	@echo '  make debug TEST="name ..." [KERNEL=kcsan]   guest tests with KASAN, lockdep, kmemleak'
	@echo '  make kunit [KERNEL=debug]    the suites of kunit/ as modules of a kernel with KASAN'
	@echo '  make mutants [TEST=name]     remove one guard after the other: does its test notice?'
	@echo '  make fuzz [SECONDS=60] [TEST=name]   every parser under libFuzzer'
	@echo '  make soak [MINUTES=30]       the long tests: debug kernels, coverage, stress'
	@echo '  make bench [KERNEL=6.12] [ROUNDS=5] [PART=scale]   reads, mounts beside other file systems'
	@echo '  make modules KERNEL=6.1      both modules for a kernel of SUPPORTED: build/modules/6.1'
	@echo '  make probes [KERNEL=|KDIR=]  the form of each kernel interface'
	@echo '  make images                  the test images'
	@echo
	@echo 'Release'
	@echo '  make matrix                  build for every kernel of SUPPORTED, boot it, print a table'
	@echo '  make deb [SUITE=bookworm]    Debian packages: build/packages/SUITE'
	@echo '  make rpm                     rpm packages and source packages: build/packages/rpm'
	@echo '  make packages                both, checked: lint, built twice, installed and removed in a root'
	@echo '  make pkgtest [SUITE=trixie]  what a user of Debian 12 and of 13 does, in a VM that boots it'
	@echo '  make ci                      what a hosted runner does: build/ci has packages, reports, logs'

ifneq ($(KERNEL),)
modules:
	scripts/build-modules.sh $(KERNEL) $(OUT)
else
modules:
	@[ -e $(KDIR)/Makefile ] || { echo 'make: no kernel headers in $(KDIR): install those of kernel $(KREL),' \
		'such as linux-headers-$(KREL) or kernel-devel-$(KREL)' >&2; exit 2; }
	$(MAKE) -C $(KDIR) M=$(CURDIR) modules
endif

sign:
	@scripts/sign.sh $(if $(KERNEL),--kernel $(KERNEL),--kdir $(KDIR)) $(if $(KEY),--key $(KEY)) \
		$(if $(CERT),--cert $(CERT)) $(if $(NEW_KEY),--new-key) $(OUT)

probes:
	-$(MAKE) -s modules >/dev/null
	@compat/report.sh $(if $(KERNEL),$(or $(OUT),build/modules/$(KERNEL)),.)/compat/generated

matrix:
	tests/bin/matrix.sh

vm:
	@[ -n "$(KERNEL)" ] || { echo 'say which: make vm KERNEL=$(shell scripts/kernels.sh list | head -n 1)' >&2; exit 2; }
	scripts/deps.sh
	$(MAKE) -C tools
	$(MAKE) -C tests/vm
	scripts/build-modules.sh $(KERNEL)
	DISK="$$(tests/images/mkimage.sh)" tests/bin/vm.sh $(KERNEL) $(TEST)

tools:
	$(MAKE) -C tools

unit:
	$(MAKE) -C tests/unit check threads

kunit:
	tests/bin/debug.sh $(or $(KERNEL),debug) debug-kunit

debug:
	tests/bin/debug.sh $(or $(KERNEL),debug) $(or $(TEST),all)

mutants:
	tests/bin/mutants.sh $(TEST)

soak:
	tests/bin/soak.sh $(MINUTES)

fuzz:
	tests/bin/fuzz.sh $(or $(SECONDS),60) $(TEST)

bench:
	tests/bin/bench.sh $(KERNEL)

images:
	tests/images/mkimage.sh

html:
	scripts/html.sh

deb:
	scripts/deb.sh $(or $(SUITE),$(shell . /etc/os-release && echo $$VERSION_CODENAME))

rpm:
	scripts/rpm.sh

packages:
	tests/pkg/packages.sh

pkgtest:
	tests/pkg/pkgtest.sh $(SUITE)

install: install-modules install-tools install-config install-apparmor

# Built by `make`, as a user who need not be root.
install-modules:
	@[ -e $(BUILT)/erofs_od.ko ] && [ -e $(BUILT)/cachefiles_od.ko ] || \
		{ echo 'make: the modules are not built: run make first' >&2; exit 2; }
	install -d $(DESTDIR)$(MODDIR)
	install -m 644 $(BUILT)/cachefiles_od.ko $(BUILT)/erofs_od.ko $(DESTDIR)$(MODDIR)
	$(if $(DESTDIR),,depmod -a $(KREL))

install-tools:
	$(MAKE) -C tools install DESTDIR=$(DESTDIR) PREFIX=$(PREFIX)

# Does not replace a file that an administrator has edited.
install-config:
	install -d $(DESTDIR)$(UNITDIR)
	sed 's|/usr/sbin/erofs-odd|$(PREFIX)/sbin/erofs-odd|' packaging/systemd/erofs-odd.service \
		>$(DESTDIR)$(UNITDIR)/erofs-odd.service
	chmod 644 $(DESTDIR)$(UNITDIR)/erofs-odd.service
	install -D -m 644 -p packaging/udev/60-erofs-od.rules $(DESTDIR)$(UDEVDIR)/60-erofs-od.rules
	install -D -m 644 -p packaging/modprobe.d/erofs-od.conf $(DESTDIR)$(MODPROBEDIR)/erofs-od.conf
	[ -e $(DESTDIR)$(SYSCONFDIR)/modules-load.d/erofs-od.conf ] || install -D -m 644 -p \
		packaging/modules-load.d/erofs-od.conf $(DESTDIR)$(SYSCONFDIR)/modules-load.d/erofs-od.conf
	[ -e $(DESTDIR)$(DEFAULTDIR)/erofs-odd ] || install -D -m 644 -p \
		packaging/default/erofs-odd $(DESTDIR)$(DEFAULTDIR)/erofs-odd

# An administrator's rules are in $(APPARMORDIR)/local.
install-apparmor:
	install -D -m 644 -p packaging/apparmor/erofs-odd $(DESTDIR)$(APPARMORDIR)/erofs-odd

uninstall:
	rm -f $(DESTDIR)$(MODDIR)/cachefiles_od.ko $(DESTDIR)$(MODDIR)/erofs_od.ko
	[ ! -d $(DESTDIR)$(MODDIR) ] || rmdir $(DESTDIR)$(MODDIR)
	$(if $(DESTDIR),,depmod -a $(KREL))
	$(MAKE) -C tools uninstall DESTDIR=$(DESTDIR) PREFIX=$(PREFIX)
	rm -f $(DESTDIR)$(UNITDIR)/erofs-odd.service $(DESTDIR)$(UDEVDIR)/60-erofs-od.rules \
		$(DESTDIR)$(MODPROBEDIR)/erofs-od.conf $(DESTDIR)$(APPARMORDIR)/erofs-odd
	! cmp -s packaging/modules-load.d/erofs-od.conf $(DESTDIR)$(SYSCONFDIR)/modules-load.d/erofs-od.conf || \
		rm $(DESTDIR)$(SYSCONFDIR)/modules-load.d/erofs-od.conf
	! cmp -s packaging/default/erofs-odd $(DESTDIR)$(DEFAULTDIR)/erofs-odd || \
		rm $(DESTDIR)$(DEFAULTDIR)/erofs-odd

# For packages: the sources that DKMS builds the modules from, without dkms.conf.
install-module-sources:
	scripts/module-sources.sh | while read -r file; do install -D -p -m "$$([ -x $$file ] && echo 755 || echo 644)" $$file \
		$(DESTDIR)/usr/src/erofs-od-$(shell scripts/version.sh)/$$file || exit 1; done

ci:
	tests/bin/ci.sh

lint:
	scripts/lint.sh

demo:
	scripts/demo.sh

demo-boot:
	scripts/demo-boot.sh

check-full:
	tests/bin/check.sh --full

check:
	tests/bin/check.sh

clean:
	rm -rf build
	-$(MAKE) -C tools clean
	-$(MAKE) -C tests/unit clean
	-$(MAKE) -C $(KDIR) M=$(CURDIR) clean
