"""Speed and memory of rendering, beside its peers in the same run (`make bench`)."""
