"""The network as the files of other runtimes: TorchScript, torch.export and OpenVINO, written by the tools themselves.

Importing this package, and `kinds`, imports no runtime.
"""
