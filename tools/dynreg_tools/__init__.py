"""The host's side of dynreg: the `dynreg` command, a local hub, virtual boards, the bench.

| package | holds |
|---|---|
| commands/ | one module for each sub-command of `dynreg`: its options, and what it prints |
| boards/ | boards on serial ports: what goes onto them, how it is written, checked, reported |
| hub/ | the cloud's end: gateway, broker, NTP and DNS, with faults on purpose |
| virtualboard/ | real MicroPython on a flash image behind a pty |
| bench/ | what a boot costs, beside other programs; a site of boards, simulated |
| testing/ | for an application's own tests: a pytest plugin |
| shims/ | MicroPython's modules on CPython |
| build/ | compiling and packing the library; the interpreters and libraries that are fetched |
"""
