"""Immediate search: `/core/customermgr/v3/customer`."""
