# The two commands of the README are `make demo` and `make test`; everything else is for developers.
SHELL := /bin/bash
PYTEST := .venv/bin/python -m pytest

.PHONY: demo test test-long install bench pictures lock clean

# Other ports: make demo ARGS="--sip-port 5070 --web-port 8180"
demo:
	@./install.sh
	@exec .venv/bin/callserver demo $(ARGS)

install:
	./install.sh

# Every rule once, and a rotating sample of what is large; see tests/run.
test:
	@began=$$SECONDS; set -e; \
	./install.sh --test; \
	tests/run; \
	echo "make test: all good in $$((SECONDS - began)) s"

# Everything, however long. Results worth keeping go to docs/evidence/.
test-long:
	@began=$$SECONDS; set -e; \
	./install.sh --test; \
	$(PYTEST) --durations=30; \
	echo "make test-long: all good in $$((SECONDS - began)) s"

# The pictures of the README, made by a test and looked at by a person.
pictures:
	./install.sh --test
	mkdir -p var/pictures docs/pictures
	$(PYTEST) tests/browser/test_demo_story.py -k pictures
	cp var/pictures/*.png docs/pictures/

# The figures of docs/performance.md, measured from outside on this machine.
bench:
	./install.sh --test
	tests/bench/run

# After a changed dependency: the pins that this environment holds become the lock.
lock:
	.venv/bin/python packaging/lock.py

clean:
	rm -rf .venv build dist *.egg-info .mypy_cache .ruff_cache .pytest_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
