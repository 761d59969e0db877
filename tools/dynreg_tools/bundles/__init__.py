"""Bundles for updates over the air: packed here, unpacked by lib/dynreg/services/ota."""
