"""The example city: made-up exports, what the agency reports besides, and its two releases."""
