"""The public app: shows a release and nothing else. It never imports the private side."""
