# `make demo` runs everything on this machine; `make test` runs all tests. Both install what they need first.
BIN := .venv/bin

.PHONY: demo test check bench long constraints clean

demo:
	@scripts/setup demo
	@$(BIN)/kioskctl demo --data .demo

test:
	@scripts/setup test
	@$(BIN)/pytest -q -n 2 --dist loadfile --no-loadscope-reorder

# what takes longer than every change can afford: 200 kills, 2,000 power cuts, a million fuzzed captures
long:
	@scripts/setup test
	@$(BIN)/pytest -q -m long

check:
	@scripts/setup test
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check -q .
	@$(BIN)/mypy
	@$(BIN)/lint-imports --no-logo
	@scripts/check-people

bench:
	@scripts/setup test
	@$(BIN)/python benchmarks/store.py
	@$(BIN)/python benchmarks/journey.py
	@$(BIN)/python -m benchmarks.memory
	@$(BIN)/python benchmarks/card.py
	@$(BIN)/python benchmarks/decode.py
	@$(BIN)/python benchmarks/qr.py
	@$(BIN)/python -m benchmarks.hub

constraints:
	@scripts/setup test
	@$(BIN)/uv pip compile -q --upgrade --no-header --no-annotate --extra dev pyproject.toml -o constraints.txt

clean:
	rm -rf .venv .demo .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
