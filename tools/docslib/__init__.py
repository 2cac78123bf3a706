"""What tools/docs-check looks at, and how tests/live/test_docs.py runs what the docs tell to type."""
