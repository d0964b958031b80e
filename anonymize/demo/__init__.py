"""The example city: made-up exports, what the agency reports beside them, and its two releases."""
