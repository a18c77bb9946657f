from poolkit_conformance.case import Case
def onnx_cases() -> list[Case]: return []
