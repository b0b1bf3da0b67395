package simulator

import (
	"crypto/sha256"
	"encoding/base32"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"strings"
)

// Every id is made from the seed and from what it is the id of, never from a
// clock or a random source: the same log makes the same ids again.

// digest hashes the seed with parts.
func (w *World) digest(parts ...string) [sha256.Size]byte {
	return sha256.Sum256([]byte(fmt.Sprintf("%d\x00%s", w.seed, strings.Join(parts, "\x00"))))
}

// hexID makes an id such as AWS makes them: a prefix and seventeen hexadecimal digits.
func (w *World) hexID(prefix string, parts ...string) string {
	sum := w.digest(append([]string{prefix}, parts...)...)
	return prefix + "-" + hex.EncodeToString(sum[:])[:17]
}

// upperID makes an access key or a principal's id: a prefix and sixteen capital letters and digits.
func (w *World) upperID(prefix string, parts ...string) string {
	sum := w.digest(append([]string{prefix}, parts...)...)
	return prefix + base32.StdEncoding.EncodeToString(sum[:10])
}

// uuid makes a request id.
func (w *World) uuid(parts ...string) string {
	b := w.digest(append([]string{"uuid"}, parts...)...)
	b[6], b[8] = b[6]&0x0f|0x40, b[8]&0x3f|0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:16])
}

// chance draws a number from 0 to below 1.
func (w *World) chance(parts ...string) float64 {
	sum := w.digest(append([]string{"chance"}, parts...)...)
	return float64(binary.BigEndian.Uint64(sum[:8])>>11) / (1 << 53)
}
