"""How static files are gathered for browsers: stylesheets and modules made whole, under names with a hash of their content."""
