"""The one release that is shown: what its files must be like, and reading them."""
