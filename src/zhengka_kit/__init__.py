"""The conformance kit (符合性测试工具): what an operator's engineer runs against their own reader, and a sandbox.

It shares only the formats with the platform, as the card maker's stand-in and the desk agent do.
"""
