package recovery

import (
	"fmt"
	"regexp"
	"strconv"
)

// MostExecutionID is how long the id of an execution may be that a state
// machine drives: the names of its runs have 80 characters at most.
const MostExecutionID = 74

var laterRun = regexp.MustCompile(`^(.+)-r([1-9][0-9]{0,3})$`)

// CheckDriven reports why a state machine could not drive an execution of this
// id, or nil.
func (id ExecutionID) CheckDriven() error {
	switch {
	case id.Check() != nil:
		return id.Check()
	case len(id) > MostExecutionID:
		return fmt.Errorf("has %d characters, and a state machine's runs are named after it: %d at most", len(id), MostExecutionID)
	case laterRun.MatchString(string(id)):
		return fmt.Errorf("%s ends as the name of an execution's later run does (-r2): choose another", Quote(string(id)))
	}
	return nil
}

// NewestRun numbers the run of the state machine that was started last, from 1.
func (e *Execution) NewestRun() int { return max(1, e.Run) }

// RunName names that run: the execution's id, and -r2 and so on for those that
// followed the first.
func (e *Execution) RunName() string { return RunName(e.ID, e.NewestRun()) }

// RunName names the n-th run of the state machine for an execution.
func RunName(id ExecutionID, n int) string {
	if n == 1 {
		return string(id)
	}
	return fmt.Sprintf("%s-r%d", id, n)
}

// RunOf tells which execution's run a name is, and the how-manieth. An id that
// CheckDriven lets pass is always a first run's.
func RunOf(name string) (ExecutionID, int) {
	parts := laterRun.FindStringSubmatch(name)
	if parts == nil {
		return ExecutionID(name), 1
	}
	n, _ := strconv.Atoi(parts[2])
	return ExecutionID(parts[1]), n
}
