"""Parts that stacks are put together from: functions that add resources to a stack, in clear names."""

import dhakacart_infra.tf  # noqa: F401 -- before any module of the provider
