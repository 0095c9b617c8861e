"""The system's own libcrypto.so.3 by a thin cffi binding without a compile step: what `cryptography` does not offer.

Each call releases the interpreter's lock. What is used of it is declared here, and its errors are named here.
"""

from functools import cache
from typing import Any, NoReturn

import cffi

_DECLARATIONS = """
typedef struct { const char *key; unsigned int type; void *data; size_t size; size_t returned; } OSSL_PARAM;
void ERR_clear_error(void);
void *EVP_PKEY_Q_keygen(void *lib, const char *query, const char *type, ...);
void EVP_PKEY_free(void *key);
int EVP_PKEY_get_bn_param(const void *key, const char *name, void **number);
size_t EVP_PKEY_get1_encoded_public_key(void *key, unsigned char **point);
void *EVP_PKEY_CTX_new_from_name(void *lib, const char *name, const char *query);
void *EVP_PKEY_CTX_new_from_pkey(void *lib, void *key, const char *query);
void EVP_PKEY_CTX_free(void *context);
int EVP_PKEY_fromdata_init(void *context);
int EVP_PKEY_fromdata(void *context, void **key, int selection, OSSL_PARAM *params);
int EVP_PKEY_sign_init(void *context);
int EVP_PKEY_sign(void *context, unsigned char *out, size_t *size, const unsigned char *e, size_t length);
int EVP_PKEY_verify_init(void *context);
int EVP_PKEY_verify(void *context, const unsigned char *der, size_t size, const unsigned char *e, size_t length);
int EVP_PKEY_encrypt_init(void *context);
int EVP_PKEY_encrypt(void *context, unsigned char *out, size_t *size, const unsigned char *in, size_t length);
int EVP_PKEY_decrypt_init(void *context);
int EVP_PKEY_decrypt(void *context, unsigned char *out, size_t *size, const unsigned char *in, size_t length);
void *EVP_CIPHER_fetch(void *lib, const char *name, const char *query);
void EVP_CIPHER_free(void *cipher);
void *EVP_CIPHER_CTX_new(void);
void EVP_CIPHER_CTX_free(void *context);
int EVP_EncryptInit_ex(void *context, void *cipher, void *engine, const unsigned char *key, const unsigned char *iv);
int EVP_EncryptUpdate(void *context, unsigned char *out, int *size, const unsigned char *in, int length);
int BN_bn2binpad(const void *number, unsigned char *out, int size);
void *BN_bin2bn(const unsigned char *bytes, int size, void *number);
void BN_clear_free(void *number);
void *EC_GROUP_new_by_curve_name(int nid);
void *EC_POINT_new(const void *group);
void EC_POINT_clear_free(void *point);
int EC_POINT_mul(const void *group, void *r, const void *n, const void *q, const void *m, void *ctx);
size_t EC_POINT_point2oct(const void *group, const void *p, int form, unsigned char *out, size_t size, void *ctx);
void CRYPTO_free(void *memory, const char *file, int line);
"""


class LibraryMissing(RuntimeError):
    """The system's OpenSSL cannot be used for SM2."""


class LibraryFailed(RuntimeError):
    """OpenSSL refused an operation that must succeed."""


@cache
def ffi() -> cffi.FFI:
    """The declarations of all functions that are used."""
    declared = cffi.FFI()
    declared.cdef(_DECLARATIONS)
    return declared


@cache
def lib() -> Any:
    """The library, opened once."""
    return library()


def library(name: str = "libcrypto.so.3") -> Any:
    """The opened system library; LibraryMissing, naming the package to install, where there is none."""
    try:
        return ffi().dlopen(name)
    except OSError:
        raise LibraryMissing(f"{name} is missing: install Debian's package libssl3") from None


def fail(what: str) -> NoReturn:
    """Raise LibraryFailed and forget OpenSSL's own record of the fault."""
    lib().ERR_clear_error()
    raise LibraryFailed(f"libcrypto.so.3 failed: {what}")


def owned(pointer: Any, free: Any) -> Any:
    """The pointer, freed by `free` with its last reference; LibraryFailed where there is none."""
    if not pointer:
        fail("no memory or no such algorithm")
    return ffi().gc(pointer, free)
