"""One module a stack, one stack a lifecycle: what is applied, locked and destroyed together."""

import dhakacart_infra.tf  # noqa: F401 -- before any module of the provider
