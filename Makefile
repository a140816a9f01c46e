# make demo    watch a real daemon merge four tasks, refuse two bad ones, and roll back
# make test    every test
# make reliability    every crash point, fault and storm that is worth counting: hours
# make power-cut    the power cut under the stores, at each write, in a virtual machine: minutes to an hour
# All bring the Debian packages that they need; Tools/set-up says which.

SHELL := /bin/bash
.DEFAULT_GOAL := build
.PHONY: demo test reliability power-cut build bench check format configuration compatibility families fuzz set-up install deb deb-test clean

PREFIX ?= /usr
SYSCONFDIR ?= /etc
DESTDIR ?=
# Where the programs to install were built.
PRODUCTS ?= .build/release
PROGRAMS := supermerge supermerged supermergectl
# What supermerge loads when it needs libtorch; no program links it, so it has to be asked for.
LIBRARY := supermerge-torch
# Some containers give fewer cores than the machine has.
JOBS ?= $(shell nproc)
RELEASE := swift build -c release -j $(JOBS)

build: set-up
	@for product in $(PROGRAMS) $(LIBRARY); do \
	    echo "$(RELEASE) --product $$product"; $(RELEASE) --product $$product || exit; done

demo: build
	@Tools/set-up demo
	@$(RELEASE) --product demo-data
	@Demo/run

# Tests that start a process of their own come first and alone: the thread with which Swift Testing waits for their
# ends takes a whole core while any other child that has ended is not waited for yet.
# What failed is said again at the end, where thousands of lines have not buried it.
CHECKED := -j $(JOBS) --explicit-target-dependency-import-check error
TEST := swift test $(CHECKED) --skip-build
test:
	@Tools/set-up test
	@set -o pipefail; mkdir -p .build; status=0; \
	    { swift build --build-tests $(CHECKED) || exit; \
	      for which in --filter --skip; do $(TEST) $$which InOwnProcess || status=1; done; \
	      exit $$status; } 2>&1 | tee .build/test.log || \
	    { printf '\nwhat failed:\n'; \
	      grep -aE '✘|error:|Fatal error' .build/test.log | tail -n 40; exit 1; }

# The suites that count for docs/reliability.md, at full length; each writes its counts, and the page is made of them.
RELIABILITY_SUITES ?= CrashTests|FaultTests|SystemCallTests|DaemonKillTests|TrialKillTests|StormTests|ArrivalShapeTests|CopyingToolTests|LostRegistryTests|AttackTests|CorpusTests|DifferentialTests
reliability: build
	@Tools/set-up test
	@mkdir -p docs/reliability
	RELIABILITY=full RELIABILITY_OUT="$(CURDIR)/docs/reliability" \
	    swift test -j $(JOBS) --no-parallel --filter '$(RELIABILITY_SUITES)'
	Benchmarks/reliability load
	Benchmarks/reliability page

# A guest in QEMU (with KVM where it works) with Debian's kernel, on disks whose writes it logs; needs no root but for the packages.
power-cut:
	@Tools/set-up power-cut
	@for product in power-drill store-drill; do swift build -j $(JOBS) --product $$product || exit; done
	RELIABILITY_OUT="$(CURDIR)/docs/reliability" Tests/power/run
	Benchmarks/reliability page

bench: build
	Benchmarks/run

# FUZZ_SECONDS for each reader of untrusted bytes; FUZZ names some of them.
FUZZ_SECONDS ?= 60
fuzz: set-up
	JOBS=$(JOBS) Fuzz/run $(FUZZ_SECONDS) $(FUZZ)

check:
	Tools/check-width
	swift format lint --strict --recursive --parallel Package.swift Sources Tests Demo Fuzz
	systemd/check
	@Packaging/man/render reference config/supermerged.yaml | diff -u docs/configuration.md - || \
	    { echo "docs/configuration.md is not what config/supermerged.yaml says; run make format"; exit 1; }
	@! command -v python3 >/dev/null || Benchmarks/results page --check
	@! command -v python3 >/dev/null || Benchmarks/reliability page --check

format:
	swift format --in-place --recursive --parallel Package.swift Sources Tests Demo Fuzz
	Packaging/man/render reference config/supermerged.yaml >docs/configuration.md

# The section merge of config/supermerged.yaml, from the table of settings, and docs/configuration.md.
configuration: set-up
	SUPERMERGE_WRITE_PAGES=1 swift test -j $(JOBS) --filter ConfigurationTests.theDocumentedSection
	Packaging/man/render reference config/supermerged.yaml >docs/configuration.md

# The table of docs/families.md, from the catalog.
families: set-up
	SUPERMERGE_WRITE_PAGES=1 swift test -j $(JOBS) --filter DocumentedFamiliesTests.thePageHasTheCatalogsTable

# docs/compatibility.md, from what the tests find.
compatibility: set-up
	SUPERMERGE_WRITE_PAGES=1 swift test -j $(JOBS) --filter CompatibilityTests.thePageSaysWhatHappens

set-up:
	@Tools/set-up

# The unit calls /usr/bin/supermerged: another PREFIX needs a drop-in for ExecStart=.
install:
	@for product in $(PROGRAMS) lib$(LIBRARY).so; do [ -e $(PRODUCTS)/$$product ] || exec $(MAKE) build; done
	install -d "$(DESTDIR)$(PREFIX)/bin"
	install -m 755 $(addprefix $(PRODUCTS)/,$(PROGRAMS)) "$(DESTDIR)$(PREFIX)/bin/"
	install -D -m 644 $(PRODUCTS)/lib$(LIBRARY).so \
	    "$(DESTDIR)$(PREFIX)/lib/supermerge/lib$(LIBRARY).so"
	install -D -m 644 systemd/supermerged@.service "$(DESTDIR)$(PREFIX)/lib/systemd/system/supermerged@.service"
	install -D -m 644 systemd/sysusers.d/supermerged.conf "$(DESTDIR)$(PREFIX)/lib/sysusers.d/supermerged.conf"
	install -D -m 644 systemd/tmpfiles.d/supermerged.conf "$(DESTDIR)$(PREFIX)/lib/tmpfiles.d/supermerged.conf"
	install -D -m 644 systemd/supermerged.catalog "$(DESTDIR)$(PREFIX)/lib/systemd/catalog/supermerged.catalog"
	install -D -m 644 config/supermerged.yaml "$(DESTDIR)$(PREFIX)/share/supermerged/supermerged.yaml"
	install -d -m 750 "$(DESTDIR)$(SYSCONFDIR)/supermerge"
	Packaging/extras "$(PRODUCTS)" "$(DESTDIR)$(PREFIX)/share"
	@[ -n "$(DESTDIR)" ] || echo "next: systemd-sysusers; systemd-tmpfiles --create; journalctl --update-catalog;" \
	    "copy $(PREFIX)/share/supermerged/supermerged.yaml to $(SYSCONFDIR)/supermerge/NAME.yaml;" \
	    "systemctl enable --now supermerged@NAME"

# A Debian package in .build/deb.
deb:
	@Tools/set-up deb
	Packaging/build

# Installs, upgrades, removes and purges that package under a real systemd in a container; as root.
deb-test: deb
	Packaging/test

clean:
	@[ ! -e demo ] || chmod -R u+w demo
	rm -rf .build demo
