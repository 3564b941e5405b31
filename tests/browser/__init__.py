"""Tests that need a browser: `./dev test-browser` runs them."""
