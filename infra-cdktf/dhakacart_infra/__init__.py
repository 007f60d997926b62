"""The AWS side of every environment: CDKTF stacks, one a lifecycle, from the same config as the manifests."""
