"""What leaves the site as a file: tables, pictures, printed sheets, feeds, open data, HTML."""
