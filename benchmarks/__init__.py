"""How fast qxld is, measured against its budgets and its peer (docs/performance.md)."""
