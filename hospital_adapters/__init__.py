"""Ways into hospital information systems: one module a system, each behind the HospitalAdapter port."""
