"""Entry point: language, navigation, and the page chosen. Nothing else."""

from dashboard.app.navigation import run_app

run_app()
