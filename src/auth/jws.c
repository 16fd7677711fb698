#include "auth/jws.h"

#include <stdio.h>
#include <string.h>

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/param_build.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "base/err.h"
#include "wire/base64.h"

enum { COORD = 32, DER_MAX = 80 };

static void pkey_fini(EVP_PKEY **k)
{
	EVP_PKEY_free(*k);
}

static void md_fini(EVP_MD_CTX **c)
{
	EVP_MD_CTX_free(*c);
}

static void sig_fini(ECDSA_SIG **s)
{
	ECDSA_SIG_free(*s);
}

static void pctx_fini(EVP_PKEY_CTX **c)
{
	EVP_PKEY_CTX_free(*c);
}

static int put64(const unsigned char *p, size_t n, char *out, size_t cap, davit_err *e)
{
	AUTO_BUF struct buf b = BUF_INIT(cap - 1);
	int r;

	base64url_encode(&b, p, n);
	r = buf_check(&b, "a signature", e);
	if (!r)
		snprintf(out, cap, "%s", buf_str(&b));
	return r;
}

/* Exactly n bytes from base64url. */
static int get64(const char *s, unsigned char *out, size_t n, const char *what, davit_err *e)
{
	AUTO_BUF struct buf b = BUF_INIT(256);

	if (!s || !base64_decode(&b, s, strlen(s)) || b.len != n)
		return err_set(e, DAVIT_EINTEGRITY, "the %s of a signature is malformed", what);
	memcpy(out, b.p, n);
	return 0;
}

/* Big numbers have no fixed width; a coordinate has. */
static int put_coord(EVP_PKEY *key, const char *param, char out[44], davit_err *e)
{
	unsigned char raw[COORD];
	BIGNUM *n = NULL;
	bool ok = EVP_PKEY_get_bn_param(key, param, &n) && BN_bn2binpad(n, raw, COORD) == COORD;

	BN_free(n);
	return ok ? put64(raw, COORD, out, 44, e) : err_set(e, DAVIT_ENOMEM, "cannot export a key");
}

static int put_signature(const unsigned char *der, size_t n, char out[87], davit_err *e)
{
	CLEANUP(sig_fini) ECDSA_SIG *sig = d2i_ECDSA_SIG(NULL, &der, (long)n);
	unsigned char raw[2 * COORD];

	if (!sig || BN_bn2binpad(ECDSA_SIG_get0_r(sig), raw, COORD) != COORD ||
	    BN_bn2binpad(ECDSA_SIG_get0_s(sig), raw + COORD, COORD) != COORD)
		return err_set(e, DAVIT_ENOMEM, "cannot export a signature");
	return put64(raw, sizeof raw, out, 87, e);
}

int jws_sign_once(const void *input, size_t n, struct jws_es256 *out, davit_err *e)
{
	CLEANUP(pkey_fini) EVP_PKEY *key = EVP_EC_gen("P-256");
	CLEANUP(md_fini) EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	unsigned char der[DER_MAX];
	size_t len = sizeof der;
	struct jws_es256 made = { 0 };
	int r;

	if (!key || !ctx || EVP_DigestSignInit_ex(ctx, NULL, "SHA256", NULL, NULL, key, NULL) != 1 ||
	    EVP_DigestSign(ctx, der, &len, input, n) != 1)
		return err_set(e, DAVIT_ENOMEM, "cannot make a key and sign with it");
	r = put_coord(key, OSSL_PKEY_PARAM_EC_PUB_X, made.x, e);
	if (!r)
		r = put_coord(key, OSSL_PKEY_PARAM_EC_PUB_Y, made.y, e);
	if (!r)
		r = put_signature(der, len, made.signature, e);
	if (!r)
		*out = made;
	return r;
}

/* A point that is not on the curve is refused by the import. */
static EVP_PKEY *import_key(const unsigned char point[1 + 2 * COORD])
{
	CLEANUP(pctx_fini) EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(NULL, "EC", NULL);
	char group[] = "P-256";
	unsigned char copy[1 + 2 * COORD];
	OSSL_PARAM params[] = {
		OSSL_PARAM_construct_utf8_string(OSSL_PKEY_PARAM_GROUP_NAME, group, 0),
		OSSL_PARAM_construct_octet_string(OSSL_PKEY_PARAM_PUB_KEY, copy, sizeof copy),
		OSSL_PARAM_construct_end(),
	};
	EVP_PKEY *key = NULL;

	memcpy(copy, point, sizeof copy);
	if (!ctx || EVP_PKEY_fromdata_init(ctx) != 1 ||
	    EVP_PKEY_fromdata(ctx, &key, EVP_PKEY_PUBLIC_KEY, params) != 1)
		return NULL;
	return key;
}

/* r and s as DER; 0 if they cannot be. */
static size_t signature_der(const unsigned char raw[2 * COORD], unsigned char der[DER_MAX])
{
	CLEANUP(sig_fini) ECDSA_SIG *sig = ECDSA_SIG_new();
	BIGNUM *r = BN_bin2bn(raw, COORD, NULL), *s = BN_bin2bn(raw + COORD, COORD, NULL);
	unsigned char *p = der;
	int n;

	if (!sig || !r || !s || ECDSA_SIG_set0(sig, r, s) != 1) {
		BN_free(r);
		BN_free(s);
		return 0;
	}
	n = i2d_ECDSA_SIG(sig, NULL);
	return n > 0 && n <= DER_MAX ? (size_t)i2d_ECDSA_SIG(sig, &p) : 0;
}

int jws_verify(const void *input, size_t n, const struct jws_text *s, davit_err *e)
{
	unsigned char point[1 + 2 * COORD] = { POINT_CONVERSION_UNCOMPRESSED }, raw[2 * COORD], der[DER_MAX];
	CLEANUP(md_fini) EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	CLEANUP(pkey_fini) EVP_PKEY *key = NULL;
	size_t len;
	int r = get64(s->x, point + 1, COORD, "key", e);

	if (!r)
		r = get64(s->y, point + 1 + COORD, COORD, "key", e);
	if (!r)
		r = get64(s->signature, raw, sizeof raw, "value", e);
	if (r)
		return r;
	key = import_key(point);
	len = signature_der(raw, der);
	if (!ctx || !len)
		return err_nomem(e);
	if (!key)
		return err_set(e, DAVIT_EINTEGRITY, "the key of a signature is no point of P-256");
	if (EVP_DigestVerifyInit_ex(ctx, NULL, "SHA256", NULL, NULL, key, NULL) != 1)
		return err_nomem(e);
	if (EVP_DigestVerify(ctx, der, len, input, n) != 1)
		return err_set(e, DAVIT_EINTEGRITY, "the signature is not that of its key over this text");
	return 0;
}
