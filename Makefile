# SPDX-License-Identifier: GPL-2.0-only
# For people; kbuild reads Kbuild. `make help` lists the targets.

KERNEL ?=
TEST ?=
OUT ?=

.PHONY: help demo demo-boot check check-full matrix vm modules probes tools unit kunit debug mutants soak fuzz lint images sign html ci \
	deb rpm packages pkgtest install-module-sources clean

# `make KDIR=...` builds for that kernel, `make` tells what there is.
.DEFAULT_GOAL := $(if $(KDIR),modules,help)

help:
	@echo 'make demo [KERNEL=6.1] [LOCAL=1]   mount an image lazily in a throw-away machine, compare every byte'
	@echo 'make demo-boot [KERNEL=6.1] [LOGIN=1]   boot a Debian from an on-demand image, show how much was fetched'
	@echo 'make check [CI=true]               the tests that a change needs, in 20 minutes; with CI=true, in 45, more'
	@echo 'make check-full                    all of them: lint, unit tests, tools, packages, VMs'
	@echo 'make matrix                        build for and boot every kernel of SUPPORTED, print a table'
	@echo 'make vm KERNEL=6.1 [TEST=name]     the guest tests, or one, on a stock kernel of SUPPORTED'
	@echo '     [ACCEL=kvm] [SMP=2] [MEM=2048] [CMDLINE=...] [TIMEOUT=900]'
	@echo 'make modules KERNEL=6.1            both modules for a kernel of SUPPORTED: build/modules/6.1'
	@echo 'make modules [KDIR=...]            both modules, in place, for the running kernel or another'
	@echo 'make sign [KERNEL=|KDIR=] [KEY=file CERT=file | NEW_KEY=1]   sign both modules, for Secure Boot'
	@echo 'make probes [KERNEL=|KDIR=]        which form each of the kernel'"'"'s interfaces has'
	@echo 'make tools                         erofs-od and erofs-odd'
	@echo 'make unit                          the suites of kunit/ in user space, under ASan and UBSan'
	@echo 'make kunit [KERNEL=debug]          the same suites and the queue'"'"'s, as modules of a kernel with KASAN'
	@echo 'make debug TEST="name ..." [KERNEL=kcsan]   guest tests on a kernel with KASAN, lockdep, kmemleak'
	@echo 'make mutants [TEST=name]           take away one guard after the other: does its test notice?'
	@echo 'make soak [MINUTES=30]             the long forms: all on kernels made for testing, coverage, stress'
	@echo 'make fuzz [SECONDS=60] [TEST=name]  every parser under libFuzzer, that long for each'
	@echo 'make deb [SUITE=bookworm]          Debian packages: build/packages/SUITE; SUITE is whose libraries they take'
	@echo 'make rpm                           rpm packages, and the source package: build/packages/rpm'
	@echo 'make packages                      both, checked: lint, built twice, installed and removed in a root'
	@echo 'make pkgtest [SUITE=trixie]        what a user of Debian 12 and of 13 does, in a machine that boots it'
	@echo 'make html                          Documentation/ as one book: build/html'
	@echo 'make images                        the test images'
	@echo 'make ci                            what a hosted runner does: build/ci has packages, probe reports, logs'
	@echo 'make lint                          the rules of CONTRIBUTING.md that a script can check'
	@echo 'make clean                         all that was built; the cache of downloads stays'

ifneq ($(KERNEL),)
modules:
	scripts/build-modules.sh $(KERNEL) $(OUT)
else
KDIR ?= /lib/modules/$(shell uname -r)/build
modules:
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

# For packages: what DKMS builds the modules from, but for dkms.conf.
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
