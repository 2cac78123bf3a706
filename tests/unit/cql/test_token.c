#include "cql/token.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

/* As the Python driver's own implementation has them. */
static const struct {
    const char *hex;
    int64_t token;
} known[] = {
    {"", 0},
    {"a5", 9102176746827431674},
    {"4dca", 7937931544219438322},
    {"182530", 6068479167813565288},
    {"bb1d6d13", -4469617531165980528},
    {"2cded6237b", -5181672435055343724},
    {"2ed91e3f721f", 4534573008782432204},
    {"cb1971174494d6", -6108198017939165541},
    {"493c9d5c3460be31", 369911734640614424},
    {"201e69fedaa0eee8b9", -2074272014092295086},
    {"997f5c7c2999fdafe593", -32003801386848725},
    {"253cd654af4dfad71427a0", -710262683116833875},
    {"aeb3fee9232f8af2211f9ee4", -7166419386614295414},
    {"91c5b10becb5563bfc1e6f9342", 2344439780066371560},
    {"7ecbc8fe2955e5cd8e46dc8ed4b7", -3889258449416575448},
    {"c2764d2a5a4d767706f85d8690024a", 6346434833608210718},
    {"d6bda3401be9c8cbccc935f6cd1f6122", 2496137534570887662},
    {"6ae15338ae1a34004d33ba0d246ac04c81", -5163860770097987848},
    {"b1baf23e3bf9eef5f79f2b4934af87f5520b", -1739369041822248009},
    {"69b94b0d982e85bb55b672a872637acd7466fc", -3944668422202499633},
    {"b60e0e8ff18463b0e4b2ba29703474f064ac68f7", -7786467646688507977},
    {"00f5b02b3dc666f45bdeaa2ccaedcd2b5157410e4d", 1951256186105160739},
    {"ee4af2b34f430a073447de636c0e806c957ba684d643", 3507963295454856628},
    {"1fb5ead7424d09e15d024c5848f23d1fa6f7361d7f618d", -8588892845546608172},
    {"1532e70e20e2a6668de7f47e8467e546d53ec8e2a1257bdb", 6707213903693155933},
    {"256c9b3e4fbb498146ef7030cbf9537252dcceadd764b6a32f", -8424332517172412811},
    {"bb09adeae109c4a997203975352b878b145c8a42d884cf4cfda7", 709345390310507954},
    {"2d8e1d5dd92589082d852a7122873ee805add58942167a38528619", 1395167599800584676},
    {"5c679f9c6994e45b8ab1098012070961f37de436ddfdc99d6e75af65", -5042908090517330491},
    {"47cfb11b42072482dc531c2bc3907c9617eb5e5089e40186baa8a57d11", 939714455876839797},
    {"9e6fb65d00abc32af38e667f022e872d49cc15c90b999b772b4fc7a6fd4c", 5489273470328774013},
    {"914a16db4708752b0f1544b835c0e719097dfa8701e9232f21f28126877869", -1599464230021034359},
    {"76ebfcc327f5931765274ba9829b4406f61ff889326ffa9492edeeee3c669f2b", 3298334995322450226},
    {"f20894ea27e689c66b6b262e4886b8438f39ba76fef8c90c5101fbe6cf9a48d5b0", 61584507335068422},
    {"c0a13da900a6adcb3d64069481be21c9c727b8db8c188f341a924c7f88dfa161bfdb0ecc682919d2e64692f819415"
     "7f1d4af90988285cf7a9af7c93d5552266afe70e7aae6da47627c2e59af2ea37abc84670ad3c4d36bc08aad1fff8e"
     "b8406e2f8a7fc4",
     -1472108057815575034},
};

static void test_known(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(known); i++) {
        char bytes[128];
        size_t len = 0;
        for (const char *p = known[i].hex; *p; p += 2) {
            unsigned value;
            assert_int_equal(sscanf(p, "%2x", &value), 1);
            bytes[len++] = (char)value;
        }
        assert_true(cql_token(slice_of(bytes, len)) == known[i].token);
    }
}

static void test_keys(void **state)
{
    (void)state;
    struct buf out = {0};
    const struct slice cells[] = {SLICE_LIT("ab"), SLICE_LIT(""), SLICE_LIT("c")};
    cql_token_key(cells, 1, &out);
    assert_true(slice_equal(buf_slice(&out), SLICE_LIT("ab")));
    buf_clear(&out);
    cql_token_key(cells, 3, &out);
    assert_true(slice_equal(buf_slice(&out), SLICE_LIT("\0\2ab\0"
                                                       "\0\0\0"
                                                       "\0\1c\0")));
    buf_free(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_known),
        cmocka_unit_test(test_keys),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
