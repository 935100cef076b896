"""The gate's boards on paper: their pattern, how they are cut into sheets, and the PDF."""
