# What can be done with Muster. Go and make are all that this needs.
.DEFAULT_GOAL := help

GO ?= go
# Programs hold nothing of the machine that built them, and need nothing of the
# one that runs them: the same commit and the same Go give the same bytes. So
# they are told their commit (what Go notes by itself differs with the tags that
# a clone has). The function has no symbol table, and of Lambda's two interfaces
# the one that its newer runtimes have.
REVISION := $(shell git rev-parse HEAD 2>/dev/null)
MODIFIED := $(shell git status --porcelain 2>/dev/null | grep -q . && echo true)
LINK := -X muster/cmd/wiring.revision=$(REVISION) -X muster/cmd/wiring.modified=$(MODIFIED)
BUILD := CGO_ENABLED=0 GOAMD64=v1 GOARM64=v8.0 $(GO) build -trimpath -buildvcs=false
COMMAND := -ldflags "$(LINK)"
FUNCTION := -tags lambda.norpc -ldflags "-s -w $(LINK)"
FUZZ_TIME ?= 10s
BENCH ?= .
SEEDS ?= 2000
FIRST ?= 1

.PHONY: help demo demo-events check format vet staticcheck test build bench torture broken fuzz lambda stack deploy deploy-rehearsal release clean FORCE

help: ## list what can be done
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  make \1	\2/p' $(MAKEFILE_LIST) | expand -t 20

demo: bin/muster ## a drill of a whole plan, thirty servers in five waves, on a simulated AWS
	@set -e; data=$$(mktemp -d); trap 'rm -rf "$$data"' EXIT; \
	printf '$$ muster drill examples/web-shop.yaml --fleet examples/fleets/web-shop.yaml --speed 120 --answer PAUSE_BEFORE_WAVE=approve --answer WAVE_FAILED=retry --cleanup\n'; \
	bin/muster drill examples/web-shop.yaml --fleet examples/fleets/web-shop.yaml --data "$$data" --speed 120 --by "$${USER:-demo}" \
	  --answer PAUSE_BEFORE_WAVE=approve --answer WAVE_FAILED=retry --cleanup

demo-events: bin/muster ## the specification's example, two waves, event by event
	@set -e; data=$$(mktemp -d); trap 'rm -rf "$$data"' EXIT; \
	for wave in 1 2; do \
	  event=testdata/events/complete-example.wave-$$wave.json; \
	  printf '\n$$ muster invoke --fleet specification %s\n' "$$event"; \
	  bin/muster invoke --fleet specification --data "$$data" "$$event" > "$$data/answer-$$wave.json"; \
	done; \
	for wave in 1 2; do \
	  printf '\nThe answer to wave %s:\n\n' "$$wave"; \
	  cat "$$data/answer-$$wave.json"; \
	done

# One after the other, whatever make's -j says: the EC2 client takes gigabytes
# to compile.
check: ## everything that a change must pass; what CI runs
	@$(MAKE) --no-print-directory format
	@$(MAKE) --no-print-directory vet
	@$(MAKE) --no-print-directory staticcheck
	@$(MAKE) --no-print-directory test
	@$(MAKE) --no-print-directory -j1 build

format: ## gofmt finds nothing to do
	@echo "gofmt"
	@wrong=$$(find . -name '*.go' -not -path './.git/*' -exec gofmt -l {} +) && \
	if [ -n "$$wrong" ]; then printf 'gofmt would change:\n%s\n' "$$wrong"; exit 1; fi

# With -race, as the tests: what takes long to compile is compiled once.
vet: ## go vet, all packages
	@echo "go vet"
	@$(GO) vet -race ./...
	@$(GO) -C tools vet ./...

staticcheck: ## staticcheck, all packages
	@echo "staticcheck"
	@GOFLAGS="$$($(GO) env GOFLAGS) -race" $(GO) tool -modfile=tools/go.mod staticcheck ./...

test: ## all tests, with the race detector, in a random order
	$(GO) test -race -shuffle=on ./...

build: bin/muster bin/lambda/amd64/bootstrap bin/lambda/arm64/bootstrap ## both programs, the function for both of Lambda's machines

lambda: bin/execution-handler.zip ## the archive to deploy (arm64, provided.al2023)

# Packages that have tests of a kind, so that no other is compiled for it.
having = $$(find . -name '*_test.go' -exec grep -l '^func $(1)[A-Z]' {} + | xargs -n1 dirname | sort -u)

bench: ## measure (BENCH=. says which benchmarks)
	$(GO) test -tags bench -count=1 -v -run '^TestMeasure' ./orchestrator
	@set -e; for package in $(call having,Benchmark); do \
	  CGO_ENABLED=0 $(GO) test -trimpath -run '^$$' -bench '$(BENCH)' -benchmem -timeout 30m "$$package"; \
	done

# Memory is cheaper than the collector's time here.
torture: ## random schedules of whole executions (SEEDS=n of them; SEED=n: that one, twenty times)
	@GOGC=400 $(GO) test -count=1 -timeout 0 -v -run '^TestRandomSchedules' ./orchestrator \
	  -torture.seeds=$(SEEDS) -torture.first=$(FIRST) -torture.seed=$(or $(SEED),0)

broken: ## that the proofs notice what is broken on purpose
	$(GO) test -tags broken -count=1 -timeout 60m -v -run '^TestEveryBrokenVariantIsNoticed' .

fuzz: ## every fuzz target for a short while (FUZZ_TIME=10s each)
	@set -e; for package in $(call having,Fuzz); do \
	  for target in $$($(GO) test -list '^Fuzz' "$$package" | grep '^Fuzz'); do \
	    echo "$$package $$target"; \
	    $(GO) test -run '^$$' -fuzz "^$$target\$$" -fuzztime $(FUZZ_TIME) "$$package"; \
	  done; \
	done

# What aws cloudformation package needs, in one folder.
DEPLOYED := deploy/hub.yaml deploy/target-account.yaml deploy/state-machine.asl.json

stack: bin/execution-handler.zip ## what is deployed, into bin/stack
	@mkdir -p bin/stack && cp $< $(DEPLOYED) bin/stack

deploy: stack ## the hub, in AWS: STACK=muster REGION=us-west-2 (BUCKET=…, PARAMETERS="NotificationEmail=…")
	@tools/deploy '$(STACK)' '$(REGION)' '$(BUCKET)' $(PARAMETERS)

# One after the other, as check builds them.
deploy-rehearsal: ## a deployment on this machine: the built function, the packaged template, a whole drill (npm, a JDK)
	@$(MAKE) --no-print-directory -j1 bin/muster bin/lambda/$$($(GO) env GOHOSTARCH)/bootstrap stack
	@rm -f bin/rehearsal.txt
	.ci/dynamodb/with $(GO) test -tags rehearsal -count=1 -timeout 15m -v ./rehearsal -summary $(CURDIR)/bin/rehearsal.txt
	@printf '\n' && cat bin/rehearsal.txt

release: ## all that a release holds, into dist (VERSION=1.2.0)
	@MAKE='$(MAKE)' tools/release '$(VERSION)'

# The command for one system, and what is deployed: tools/release makes them all.
dist/muster-%: FORCE
	@GOOS=$(word 1,$(subst -, ,$*)) GOARCH=$(word 2,$(subst -, ,$*)) $(BUILD) -ldflags "-s -w $(LINK)" -o $@ ./cmd/muster

clean: ## remove what was built
	rm -rf bin dist

bin/muster: FORCE
	@$(BUILD) $(COMMAND) -o $@ ./cmd/muster

bin/lambda/%/bootstrap: FORCE
	@GOOS=linux GOARCH=$* $(BUILD) $(FUNCTION) -o $@ ./cmd/execution-handler
	@printf '%s  %s bytes\n' $@ $$(wc -c < $@)

bin/execution-handler.zip: bin/lambda/arm64/bootstrap
	@$(GO) -C tools run ./archive $(CURDIR)/$@ $(CURDIR)/$<
	@printf '%s  %s bytes\n' $@ $$(wc -c < $@)
