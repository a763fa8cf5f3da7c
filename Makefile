.PHONY: tools

# The pinned engines, in .tools/. Takes milliseconds when they are there.
tools:
	@scripts/fetch-tools.sh
