package event

import (
	"bytes"
	"strconv"
)

// mostWhole is the largest number that whole reads.
const mostWhole = 999_999_999

// whole reads a JSON number that stands for an integer, however it is spelled:
// 1, 1.0, 1e0 and 10e-1 are the same number, and state machines hand over all
// of them. It works on the digits, so that an exponent of a billion costs
// nothing. Not fits: an integer of more than nine digits, which no number of
// ours has.
func whole(literal []byte) (n int, isWhole, fits bool) {
	negative := literal[0] == '-'
	mantissa, exponent, _ := bytes.Cut(bytes.ToLower(bytes.TrimPrefix(literal, []byte("-"))), []byte("e"))
	before, after, _ := bytes.Cut(mantissa, []byte("."))
	digits := bytes.TrimLeft(bytes.Join([][]byte{before, after}, nil), "0")
	significant := bytes.TrimRight(digits, "0")
	if len(significant) == 0 {
		return 0, true, true
	}
	zeros := tenExponent(exponent) - len(after) + len(digits) - len(significant)
	if zeros < 0 {
		return 0, false, false
	}
	if len(significant)+zeros > 9 {
		return 0, true, false
	}
	n, _ = strconv.Atoi(string(significant) + "000000000"[:zeros])
	if negative {
		n = -n
	}
	return n, true, true
}

// tenExponent reads an exponent, held within a billion either way: no
// mantissa is long enough for more to make a difference.
func tenExponent(s []byte) int {
	const most = 1_000_000_000
	if len(s) == 0 {
		return 0
	}
	n, err := strconv.Atoi(string(s))
	switch {
	case err != nil && s[0] == '-':
		return -most
	case err != nil:
		return most
	}
	return min(max(n, -most), most)
}
