"""A race and its runs on the track: crossings are counted, time limits judged, results and standings worked out."""
