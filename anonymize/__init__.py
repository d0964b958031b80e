"""From an agency's private call records to a public release that nobody can work back."""
