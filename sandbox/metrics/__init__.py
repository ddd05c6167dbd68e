"""What the cluster measures: metric families, their scraping, and the series that come of it."""
