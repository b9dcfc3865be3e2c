"""Writes `text/format_spec/cases.tsv`: kind, specification, value and what CPython's `format` makes of them.

Usage: python3.14 format_spec_cases.py OUTPUT. Texts are escaped as by `ascii`; an error is written as `!` and its message.
"""
import sys

INT = r"""d|,d|_d|_b|,b|,_d|_,d|,,d|__d|.3d|.3|c|,c|_c|+c|#c|zd|z|#d|#b|#x|#X|#o|010x|#010x|#010_x|#012_b|08,d|010,d
011,d|x<10|<10d|^10|=10|=+10| d|+d|n|,n|_n|s|q|10q|xx|5.5.5|9999999999999999999999|.9999999999999999999999d|.d|.
.,_f|._,f|.3_,f|€<10|€^#10x|{<5|05c|<05|^05|x=08|0=8|08d|é|𐀀|d𐀀|.3_|._|.,|.3_n|f,|#_x|,x|_X|_o|,o|_s|,s|,é|_€
020,|021,|022,|023,|024,d|-020_|x=+20,|_x|020_b|021_b|٣٠d|.٣""".replace("\n", "|").split("|") + ["", ",\n"]
FLOAT = r"""f|F|e|E|g|G|n|%|r|d|.0f|#.0f|.0e|#.0e|#.0g|.3|#.3|10|010|+010.2f|=+12.3f|<12|^12.1f|,.2f|_.2f|012,.2f
013,.2f|014,.2f|z.1f|zf|z|+z.0f|.3_f|.10,f|.10_e|._g|._|,._|.3_|20._f|020._f|020,.7_f|.0,f|#.0,f|c|s|x|,n|.2n|.10_n
,%|.1%|z.0%|é|.2147483647f|,e|,g|.17g|#g|030,.8,f|0=+20,f|x^30,.4,f|#.3g|E|#e|Z|.,_f|_.3,f|,.3_f|.1|.0|015|-z.2""" \
    .replace("\n", "|").split("|") + [""]
STR = r"""s|10|<10|>10|^10|=10|010|<010|.3|10.3|d|+s|+|-| |zs|z|#s|#|,|_|,s|_s|c|n|.3_s|.3,|.,|*^9s|é|xs|€>8|0|0s|00
05|.0|ss|+,s|#z|z#|0=5|𐀀<9|1_000""".replace("\n", "|").split("|") + [""]
COMPLEX = r"""f|g|.3|.3f|#|+|20|>20|<20|^20|=20|020|020f|z.1f|,|,.2f|_.2f|n|e|G|%|d|s|.3_f|x<20|+.1e| |-|#.0f|é|.1|z
€^30,.1f|.400000000000f""".replace("\n", "|").split("|") + [""]
CASES = (("int", INT, (1234567, -1234567, 0, 65)),
         ("float", FLOAT, (1234567.891, -0.0, 0.000012345, 1e22, float("inf"), float("nan"), -0.04)),
         ("str", STR, ("hello", "é€", "")),
         ("complex", COMPLEX, (1 + 2j, -0.0 - 0j, 1234.5 + 1e20j, complex("nan+infj"), 2j, complex(-0.0, 3))))
with open(sys.argv[1], "w", encoding="ascii") as out:
    for kind, specs, values in CASES:
        for spec in specs:
            for value in values:
                try:
                    result = format(value, spec)
                except (ValueError, OverflowError) as error:
                    result = "!" + str(error)
                shown = "%r;%r" % (value.real, value.imag) if kind == "complex" else str(value)
                print(kind, *(ascii(text)[1:-1] for text in (spec, shown, result)), sep="\t", file=out)
