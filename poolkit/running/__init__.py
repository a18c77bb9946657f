"""From a tensor to its program: `registry` finds its adapter, `dispatch` keeps programs, `routes` lists others."""
