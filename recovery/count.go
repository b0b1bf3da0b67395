package recovery

import "fmt"

// Count gives "1 server", "2 servers".
func Count(n int, noun string) string {
	if n != 1 {
		noun += "s"
	}
	return fmt.Sprintf("%d %s", n, noun)
}
