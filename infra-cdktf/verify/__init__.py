"""Proves the stacks without AWS: Terraform with the real provider, a moto server in AWS' place, checkov."""
