"""Dated, sourced facts as data, with typed readers."""

InstanceType = str
DatabaseClass = str
