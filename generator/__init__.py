"""One typed config per environment becomes Kubernetes and Argo CD manifests, checked."""
