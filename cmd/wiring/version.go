package wiring

import (
	"runtime"
	"runtime/debug"
)

// Version is Muster's. It is set here and in CHANGELOG.md when a release is made.
const Version = "0.1.0-dev"

// revision and modified are set by the linker (see the Makefile). Where they are
// not, as with go install, Go's own notes have to do.
var revision, modified string

// Build says which build of Muster this is.
type Build struct {
	Version  string `json:"version"`
	Revision string `json:"revision,omitempty"` // of the source, where the build knows it
	Modified bool   `json:"modified,omitempty"` // the source was not as committed
	Go       string `json:"go"`
	Platform string `json:"platform"` // e.g. linux/arm64
}

// ThisBuild reads what the linker left in the binary.
func ThisBuild() Build {
	b := Build{Version: Version, Go: runtime.Version(), Platform: runtime.GOOS + "/" + runtime.GOARCH}
	if revision != "" {
		b.Revision, b.Modified = revision, modified == "true"
		return b
	}
	info, _ := debug.ReadBuildInfo()
	if info == nil {
		return b
	}
	for _, s := range info.Settings {
		switch s.Key {
		case "vcs.revision":
			b.Revision = s.Value
		case "vcs.modified":
			b.Modified = s.Value == "true"
		}
	}
	return b
}
