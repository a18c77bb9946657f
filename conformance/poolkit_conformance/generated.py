def check_generated(h): pass
