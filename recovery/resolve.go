package recovery

import (
	"fmt"
	"strings"
)

// Origin says who asked for a value.
type Origin string

// Where a resolved value may come from. A value that nobody asked for is DRS's.
const (
	FromServer Origin = "server"           // the server's own launchConfig
	FromGroup  Origin = "protection group" // the group's default
	FromRule   Origin = "implied"          // another setting needs it
)

// Resolved is one server's launch configuration after the merge: what is
// asked for, and by whom.
type Resolved struct {
	LaunchConfig
	From map[Setting]Origin
}

// Problem is one thing that is wrong with a server's launch configuration.
type Problem struct {
	Server  SourceServerID
	Setting Setting
	Text    string
}

func (p Problem) String() string {
	return fmt.Sprintf("server %s: %s %s", p.Server, p.Setting, p.Text)
}

// Resolve merges a server's own settings over its group's, and adds what AWS
// makes those settings need: an instance type needs right-sizing switched off
// (it would override the type), and a private IP needs copyPrivateIp off.
func (s Server) Resolve(group LaunchConfig) (Resolved, []Problem) {
	r := Resolved{s.LaunchConfig.Over(group), map[Setting]Origin{}}
	for key := range r.LaunchConfig {
		r.From[key] = FromGroup
		if _, own := s.LaunchConfig[key]; own {
			r.From[key] = FromServer
		}
	}
	var problems []Problem
	imply := func(because, key Setting, want any) {
		if _, set := r.LaunchConfig[because]; !set {
			return
		}
		got, set := r.LaunchConfig[key]
		if !set {
			r.LaunchConfig[key], r.From[key] = want, FromRule
		} else if got != want {
			problems = append(problems, Problem{s.ID, because, fmt.Sprintf("(from the %s) needs %s to be %v, but the %s says %v", r.From[because], key, want, r.From[key], got)})
		}
	}
	imply(InstanceType, RightSizing, "NONE")
	imply(PrivateIP, CopyPrivateIP, false)
	return r, problems
}

// JoinProblems gives one text that names every problem.
func JoinProblems(problems []Problem) string {
	words := make([]string, len(problems))
	for i, p := range problems {
		words[i] = p.String()
	}
	return strings.Join(words, "; ")
}
