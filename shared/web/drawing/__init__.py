"""What pages are drawn with: templates, edits of HTML, small charts."""
