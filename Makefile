# SPDX-License-Identifier: MIT
# make            build everything          make test     build and run all tests
# make demo       start a small country     make deps     install what is missing
# make bench      measure                   make fuzz     fuzz each parser (SECONDS=60)
# make bench-flat  cost after a long log and with many members (ENTRIES=10000000 MEMBERS=2000)
# make bench-map   where the time of an exchange goes (IN_FLIGHT=64)
# make bench-search  measure searching an index (ENTRIES=1000000)
# make bench-evidence  what evidence costs, on against off
# make bench-recovery  measure a start on a long log (ENTRIES=1000000)
# make bench-revocation  from an operator's command until all refuse (NODES=50 FOLLOWERS=2000)
# make bench-policy  what a decision costs, with few rules and with those of a country
# make bench-verify  measure verifying two logs, and their size on disk (ENTRIES=200000)
# make lint       formatters, analysers     make install  PREFIX=/usr/local
# BUILD=dev|release|asan|tsan|cover chooses the flavour; all output goes to build/.

BUILD ?= dev
PREFIX ?= /usr/local
SECONDS ?= 60
OUT := build/$(BUILD)
GEN := build/gen

.DEFAULT_GOAL := all
.SUFFIXES:
.DELETE_ON_ERROR:

# --- compiler -----------------------------------------------------------------------------------
CC := gcc
CFLAGS_COMMON := -std=gnu2x -D_GNU_SOURCE -I. -isystem $(GEN) -isystem /usr/share/include -isystem /usr/include/p11-kit-1 -pthread \
  -fstack-protector-strong -fno-strict-aliasing -fno-omit-frame-pointer -ffunction-sections
WARNINGS := -Wall -Wextra -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wpointer-arith \
  -Wcast-qual -Wwrite-strings -Wundef -Wvla -Wformat=2 -Wnull-dereference -Wduplicated-cond -Wlogical-op
FLAVOUR_dev     := -O2 -g -Werror -D_FORTIFY_SOURCE=2
FLAVOUR_release := -O2 -g -D_FORTIFY_SOURCE=2 -DRELEASE_BUILD
FLAVOUR_asan    := -O1 -g -Werror -fsanitize=address,undefined -fno-sanitize-recover=undefined
FLAVOUR_tsan    := -O1 -g -Werror -fsanitize=thread
FLAVOUR_cover   := -O0 -g --coverage
FLAVOUR := $(FLAVOUR_$(BUILD))
ifeq ($(FLAVOUR),)
$(error BUILD=$(BUILD) is not one of dev, release, asan, tsan, cover)
endif
CFLAGS := $(CFLAGS_COMMON) $(WARNINGS) $(FLAVOUR)
LDFLAGS := $(filter -fsanitize=% --coverage,$(FLAVOUR)) -pthread -Wl,-z,relro,-z,now -Wl,--gc-sections

# --- floors: each lists what it may link -----------------------------------------------------------
PROTOS := audit mesh logtalk front rest keys directory evidence outside registry subject
PROTO_OBJECTS := $(PROTOS:%=$(OUT)/gen/%.pb-c.o)
LLHTTP_OBJECTS := $(addprefix $(OUT)/llhttp/,api.o http.o llhttp.o)

sources = $(sort $(wildcard $(1)/*.c))
objects = $(patsubst %.c,$(OUT)/%.o,$(call sources,$(1)))
# the objects of a program without its main
parts = $(filter-out %_main.o,$(call objects,$(1)))

BASE := $(call objects,lib/base)
CRYPTO := $(call objects,lib/crypto)
NET := $(call objects,lib/net)
BUS := $(call objects,lib/bus)
EVIDENCE := $(call objects,lib/evidence)
# objects, not archives: a floor that calls upwards fails to link in its unit test
FLOOR_base := $(BASE)
FLOOR_crypto := $(CRYPTO) $(BASE)
FLOOR_net := $(NET) $(BASE)
FLOOR_bus := $(BUS) $(CRYPTO) $(BASE) $(PROTO_OBJECTS)
FLOOR_evidence := $(EVIDENCE) $(FLOOR_bus)
FLOOR_all := $(BUS) $(CRYPTO) $(NET) $(BASE) $(PROTO_OBJECTS)

LIBS_base := -lconfuse -lseccomp
LIBS_crypto := -lcrypto $(LIBS_base)
LIBS_net := -lzmq $(LIBS_base)
LIBS_bus := -lprotobuf-c -ljansson $(LIBS_crypto)
LIBS_evidence := -lzip $(LIBS_bus)
LIBS_all := -lprotobuf-c -lzmq -ljansson $(LIBS_crypto)
# what only one program links
LIBS_chaski := -lcurl
LIBS_chaski-audit := -lsqlite3 -lzip
LIBS_chaski-gateway := -lexpat -lyaml -lqrencode
LIBS_chaski-registry := -lmicrohttpd -lgnutls -lcurl -lz -lssl
LIBS_chaski-security-server := -lcurl -lzip

PROGRAMS := chaski-gateway chaski-security-server chaski-registry chaski-audit chaski
BINARIES := $(PROGRAMS:%=$(OUT)/bin/%)

OBJECTS_chaski-gateway := $(call objects,gateway) $(LLHTTP_OBJECTS)
OBJECTS_chaski-security-server := $(call objects,security-server) $(call objects,security-server/exchange) \
  $(call objects,security-server/keys) $(call objects,security-server/token) $(call objects,security-server/scribe) \
  $(call objects,security-server/clerk) $(call objects,security-server/follower) $(EVIDENCE)
# what auditors are given about a log is written in one place
POLICY := $(OUT)/lib/evidence/witness_policy.o
OBJECTS_chaski-registry := $(call objects,registry) $(call objects,registry/serve) $(call objects,registry/remote) \
  $(call objects,registry/status) $(OUT)/lib/crypto/tls/client_key.o $(POLICY)
OBJECTS_chaski-audit := $(call objects,tools/audit) $(EVIDENCE)
OBJECTS_chaski := $(call objects,tools/chaski)

.PHONY: all deps test unit integration demo bench bench-flat bench-map bench-evidence bench-directory bench-policy bench-search bench-recovery bench-revocation bench-verify accept-instructions fuzz lint install clean docs check corpora tidy
all: $(BINARIES)

# --- rules ---------------------------------------------------------------------------------------
DEPS_STAMP := build/.deps-build
$(DEPS_STAMP): tools/deps.sh
	@tools/deps.sh build
	@mkdir -p $(@D) && touch $@
deps:
	@tools/deps.sh build test
	@mkdir -p build && touch $(DEPS_STAMP)

$(GEN)/%.pb-c.c $(GEN)/%.pb-c.h: proto/%.proto | $(DEPS_STAMP)
	@mkdir -p $(GEN)
	@protoc-c --proto_path=proto --c_out=$(GEN) $<
GENERATED := $(PROTOS:%=$(GEN)/%.pb-c.h)
# make must not take them for intermediate files and delete them behind our back
.SECONDARY: $(GENERATED) $(PROTOS:%=$(GEN)/%.pb-c.c)

$(OUT)/gen/%.o: $(GEN)/%.c $(GENERATED)
	@mkdir -p $(@D)
	@$(CC) $(filter-out -Werror,$(CFLAGS)) -w -c $< -o $@

$(OUT)/llhttp/%.o: /usr/share/llhttp/%.c | $(DEPS_STAMP)
	@mkdir -p $(@D)
	@$(CC) $(filter-out -Werror,$(CFLAGS)) -DLLHTTP_STRICT_MODE=1 -I/usr/share/include/llhttp -w -c $< -o $@
/usr/share/llhttp/%.c: | $(DEPS_STAMP) ;

# -MMD leaves out headers that are included as a system's, and the generated ones are: all is made anew with them.
$(OUT)/%.o: %.c $(GENERATED) | $(DEPS_STAMP)
	@mkdir -p $(@D)
	@echo "  cc  $<"
	@$(CC) $(CFLAGS) -MMD -MP -c $< -o $@

.SECONDEXPANSION:
$(BINARIES): $(OUT)/bin/%: $$(OBJECTS_%) $(FLOOR_all)
	@mkdir -p $(@D)
	@echo "  ld  $@"
	@$(CC) $(LDFLAGS) -o $@ $^ $(LIBS_$*) $(LIBS_all)
# the assembler takes the script in
$(OUT)/lib/evidence/record_script.o: lib/evidence/record_verify.sh
$(OUT)/registry/serve/openapi.o: docs/registry-openapi.json

# --- tests ---------------------------------------------------------------------------------------
UNIT_FOLDERS := $(notdir $(patsubst %/,%,$(sort $(dir $(wildcard tests/unit/*/*_test.c)))))
UNIT_PROGRAMS := $(UNIT_FOLDERS:%=$(OUT)/tests/unit-%)
UNIT_PARTS_base := $(FLOOR_base)
UNIT_PARTS_crypto := $(FLOOR_crypto)
UNIT_PARTS_net := $(FLOOR_net)
UNIT_PARTS_bus := $(FLOOR_bus)
UNIT_PARTS_evidence := $(FLOOR_evidence)
UNIT_PARTS_gateway := $(call parts,gateway) $(LLHTTP_OBJECTS) $(FLOOR_all)
UNIT_PARTS_exchange := $(call parts,security-server/exchange) $(OUT)/security-server/transport_key.o $(FLOOR_all)
UNIT_PARTS_clerk := $(OUT)/security-server/clerk/verification.o $(EVIDENCE) $(FLOOR_all)
UNIT_PARTS_scribe := $(addprefix $(OUT)/security-server/scribe/,set_parts.o set_writer.o) $(FLOOR_bus)
UNIT_PARTS_follower := $(filter-out %/follower_process.o,$(call parts,security-server/follower)) $(FLOOR_all)
UNIT_PARTS_keys := $(call parts,security-server/keys) $(OUT)/security-server/renewal_act.o $(FLOOR_all)
UNIT_PARTS_token := $(call parts,security-server/token) $(OUT)/security-server/renewal_act.o $(FLOOR_all)
UNIT_PARTS_registry := $(call parts,registry) $(OUT)/registry/serve/enrolment.o $(OUT)/registry/serve/enrolment_check.o \
  $(OUT)/registry/serve/vouching.o $(OUT)/registry/serve/packed.o $(OUT)/registry/serve/published_file.o $(OUT)/registry/serve/caller.o $(POLICY) $(FLOOR_all)
UNIT_PARTS_tools := $(call parts,tools/audit) $(EVIDENCE) $(FLOOR_all)
UNIT_LIBS_base := $(LIBS_base)
UNIT_LIBS_crypto := $(LIBS_crypto)
UNIT_LIBS_net := $(LIBS_net)
UNIT_LIBS_bus := $(LIBS_bus)
UNIT_LIBS_evidence := $(LIBS_evidence)
UNIT_LIBS_gateway := $(LIBS_chaski-gateway) $(LIBS_all)
UNIT_LIBS_clerk := -lzip $(LIBS_all)
UNIT_LIBS_scribe := $(LIBS_bus)
UNIT_LIBS_follower := -lcurl $(LIBS_all)
UNIT_LIBS_registry := -lz $(LIBS_all)
UNIT_LIBS_tools := $(LIBS_chaski-audit) $(LIBS_all)

$(UNIT_PROGRAMS): $(OUT)/tests/unit-%: $(OUT)/tests/unit/main.o $$(addprefix $(OUT)/,$$(addsuffix .o,$$(basename $$(wildcard tests/unit/%/*_test.c)))) $$(UNIT_PARTS_%)
	@mkdir -p $(@D)
	@echo "  ld  $@"
	@$(CC) $(LDFLAGS) -o $@ $^ -lcunit $(or $(UNIT_LIBS_$*),$(LIBS_all))

# stand-ins for a gateway, a security server and a peer, for integration tests and measurements
TEST_TOOLS := $(OUT)/tests/front_peer $(OUT)/tests/front_server $(OUT)/tests/careless $(OUT)/tests/mesh_peer $(OUT)/tests/mute \
  $(OUT)/tests/record_flip $(OUT)/tests/log_fill $(OUT)/tests/set_liar $(OUT)/tests/set_twist \
  $(OUT)/tests/directory_voice $(OUT)/tests/web_liar $(OUT)/tests/push_listen $(OUT)/tests/push_crowd $(OUT)/tests/segment_edit $(OUT)/tests/country_front
$(TEST_TOOLS): $(OUT)/tests/%: $(OUT)/tests/tools/%.o $(FLOOR_all)
	@mkdir -p $(@D)
	@$(CC) $(LDFLAGS) -o $@ $^ $(LIBS_all)
# a witness that shares no code with us
OUTSIDE_WITNESS := $(OUT)/tests/outside_witness
$(OUTSIDE_WITNESS): $(OUT)/tests/tools/outside_witness.o
	@mkdir -p $(@D)
	@$(CC) $(LDFLAGS) -o $@ $^ -lmicrohttpd -lcrypto
# a country of any size, and how long a node takes for it: for tests/bench/directory.sh
COUNTRY_TOOLS := $(OUT)/tests/country_fill $(OUT)/tests/directory_timer
$(COUNTRY_TOOLS): $(OUT)/tests/%: $(OUT)/tests/tools/%.o $(call parts,registry) $(POLICY) $(FLOOR_all)
	@mkdir -p $(@D)
	@$(CC) $(LDFLAGS) -o $@ $^ $(LIBS_all)
# what a decision costs: for tests/bench/policy.sh
POLICY_TIMER := $(OUT)/tests/policy_timer
$(POLICY_TIMER): $(OUT)/tests/tools/policy_timer.o $(FLOOR_all)
	@mkdir -p $(@D)
	@$(CC) $(LDFLAGS) -o $@ $^ -lcunit $(LIBS_all)
# what an exchange does most, for valgrind to count: for tests/bench/instructions.sh
HOT_STEPS := $(OUT)/tests/hot_steps
$(HOT_STEPS): $(OUT)/tests/tools/hot_steps.o $(call parts,gateway) $(LLHTTP_OBJECTS) $(FLOOR_all)
	@mkdir -p $(@D)
	@$(CC) $(LDFLAGS) -o $@ $^ -lcunit $(LIBS_chaski-gateway) $(LIBS_all)
# a crowd of callers, and the disk's own time: for tests/bench; they share no code with us
PLAIN_TOOLS := $(OUT)/tests/crowd $(OUT)/tests/flush_timer
$(PLAIN_TOOLS): $(OUT)/tests/%: $(OUT)/tests/tools/%.o
	@mkdir -p $(@D)
	@$(CC) $(LDFLAGS) -o $@ $^
BENCH_TOOLS := $(addprefix build/release/tests/,crowd flush_timer log_fill country_fill)
# a PKCS#11 module that fails as it is told; without sanitizers, which belong to the program that loads it
FAILING_TOKEN := $(OUT)/tests/failing_token.so $(OUT)/tests/failing_flush.so $(OUT)/tests/full_disk.so $(OUT)/tests/wrong_clock.so
$(FAILING_TOKEN): $(OUT)/tests/%.so: tests/tools/%.c | $(DEPS_STAMP)
	@mkdir -p $(@D)
	@$(CC) $(CFLAGS_COMMON) $(WARNINGS) -Werror -O1 -g -shared -fPIC -o $@ $<
# what an authority does without asking anybody: for tests/integration/test_follow.sh
DIRECTORY_ACT := $(OUT)/tests/directory_act
$(DIRECTORY_ACT): $(OUT)/tests/tools/directory_act.o $(call parts,registry) $(POLICY) $(FLOOR_all)
	@mkdir -p $(@D)
	@$(CC) $(LDFLAGS) -o $@ $^ $(LIBS_all)
# fills a search index of any size: for tests/bench/search.sh
INDEX_FILL := $(OUT)/tests/index_fill
$(INDEX_FILL): $(OUT)/tests/tools/index_fill.o $(call parts,tools/audit) $(EVIDENCE) $(FLOOR_all)
	@mkdir -p $(@D)
	@$(CC) $(LDFLAGS) -o $@ $^ $(LIBS_chaski-audit) $(LIBS_all)

FUZZ_TARGETS := $(patsubst tests/fuzz/fuzz_%.c,%,$(wildcard tests/fuzz/fuzz_*.c))
FUZZ_PARTS := $(call parts,gateway) $(LLHTTP_OBJECTS) $(call parts,registry) $(POLICY) $(call parts,security-server/exchange) \
  $(call parts,security-server/keys) $(OUT)/security-server/renewal_act.o $(OUT)/security-server/server_config.o $(OUT)/security-server/transport_key.o \
  $(OUT)/registry/serve/enrolment.o $(OUT)/registry/serve/enrolment_check.o $(FLOOR_all)
REPLAYS := $(FUZZ_TARGETS:%=$(OUT)/tests/replay-%)
$(REPLAYS): $(OUT)/tests/replay-%: $(OUT)/tests/fuzz/replay_main.o $(OUT)/tests/fuzz/fuzz_%.o $(FUZZ_PARTS)
	@mkdir -p $(@D)
	@$(CC) $(LDFLAGS) -o $@ $^ $(LIBS_chaski-gateway) $(LIBS_all)

test:
	@tools/deps.sh build test
	@mkdir -p build && touch $(DEPS_STAMP)
	@$(MAKE) --no-print-directory -j2 all $(UNIT_PROGRAMS) $(REPLAYS) $(TEST_TOOLS) $(INDEX_FILL) $(COUNTRY_TOOLS) $(OUTSIDE_WITNESS) $(FAILING_TOKEN) $(DIRECTORY_ACT) $(HOT_STEPS)
	@tests/run.sh $(OUT) $(ONLY)

# what the hot steps cost now becomes their budget
accept-instructions:
	@tools/deps.sh build test
	@$(MAKE) --no-print-directory -j2 $(HOT_STEPS)
	@tests/bench/instructions.sh $(OUT) --accept

demo:
	@tools/deps.sh build
	@$(MAKE) --no-print-directory -j2 all
	@tools/demo.sh $(OUT) $(if $(ONCE),--once)

bench:
	@tools/deps.sh build bench
	@$(MAKE) --no-print-directory -j2 BUILD=release all $(BENCH_TOOLS)
	@tests/bench/bench.sh build/release

bench-flat:
	@tools/deps.sh build bench
	@$(MAKE) --no-print-directory -j2 BUILD=release all $(BENCH_TOOLS)
	@tests/bench/flat.sh build/release $(or $(ENTRIES),10000000) $(or $(MEMBERS),2000)

bench-map:
	@tools/deps.sh build bench
	@$(MAKE) --no-print-directory -j2 BUILD=release all
	@tests/bench/map.sh build/release $(IN_FLIGHT)

bench-evidence:
	@tools/deps.sh build bench
	@$(MAKE) --no-print-directory -j2 BUILD=release all
	@tests/bench/evidence.sh build/release

bench-directory:
	@tools/deps.sh build bench
	@$(MAKE) --no-print-directory -j2 BUILD=release all build/release/tests/country_fill build/release/tests/directory_timer build/release/tests/web_liar
	@tests/bench/directory.sh build/release

bench-search:
	@tools/deps.sh build bench
	@$(MAKE) --no-print-directory -j2 BUILD=release build/release/bin/chaski-audit build/release/tests/index_fill
	@tests/bench/search.sh build/release $(ENTRIES)

bench-recovery:
	@tools/deps.sh build bench
	@$(MAKE) --no-print-directory -j2 BUILD=release all build/release/tests/log_fill
	@tests/bench/recovery.sh build/release $(ENTRIES)

bench-revocation:
	@tools/deps.sh build bench test
	@$(MAKE) --no-print-directory -j2 BUILD=release all build/release/tests/push_crowd build/release/tests/mesh_peer
	@tests/bench/revocation.sh build/release $(or $(NODES),50) $(or $(FOLLOWERS),2000)

bench-verify:
	@tools/deps.sh build bench test
	@$(MAKE) --no-print-directory -j2 BUILD=release all build/release/tests/front_peer
	@tests/bench/verify.sh build/release $(ENTRIES)

bench-policy:
	@tools/deps.sh build bench test
	@$(MAKE) --no-print-directory -j2 BUILD=release build/release/tests/policy_timer
	@tests/bench/policy.sh build/release

fuzz:
	@tools/deps.sh build test fuzz
	@$(MAKE) --no-print-directory $(GENERATED)
	@tests/fuzz/fuzz.sh $(SECONDS) $(FUZZ_TARGETS)

lint:
	@tools/deps.sh build test lint
	@$(MAKE) --no-print-directory $(GENERATED)
	@tools/lint.sh

docs: all
	@tools/docs.sh $(OUT)

# libexec: for auditors, who run them with bash and need none of the programs for it
install:
	@test -x $(OUT)/bin/chaski-gateway || $(MAKE) --no-print-directory all
	install -d $(DESTDIR)$(PREFIX)/bin
	install -m 755 $(BINARIES) $(DESTDIR)$(PREFIX)/bin
	install -d $(DESTDIR)$(PREFIX)/libexec/chaski
	install -m 755 tools/asic_stamp.sh $(DESTDIR)$(PREFIX)/libexec/chaski
	install -m 755 lib/evidence/record_verify.sh $(DESTDIR)$(PREFIX)/libexec/chaski/verify.sh

clean:
	rm -rf build

-include $(shell test -d $(OUT) && find $(OUT) -name '*.d')
