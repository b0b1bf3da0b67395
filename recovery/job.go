package recovery

import (
	"slices"
	"time"
)

// JobStatus is a DRS job's status. There is no failed one: a job whose every
// launch failed is COMPLETED.
type JobStatus string

// The statuses.
const (
	JobPending   JobStatus = "PENDING"
	JobStarted   JobStatus = "STARTED"
	JobCompleted JobStatus = "COMPLETED"
)

// Job is a DRS job, as DescribeJobs and StartRecovery show it.
type Job struct {
	ID          JobID
	Type        string // LAUNCH, TERMINATE, …
	InitiatedBy string // START_DRILL, START_RECOVERY, …
	Status      JobStatus
	Created     time.Time
	Ended       time.Time // zero: not over yet, or DRS does not say
	Tags        map[string]string
	Servers     []SourceServerID // nil: DRS did not say, which is not the same as none
	// Participants are the same servers with what becomes of them.
	Participants []Participant
}

// Participant is one server in a job.
type Participant struct {
	Server   SourceServerID
	Status   string     // PENDING, IN_PROGRESS, LAUNCHED, FAILED, TERMINATED; "" where DRS does not say
	Instance InstanceID // "" until there is one
}

// JobLogItem is one line of a job's log.
type JobLogItem struct {
	At       time.Time
	Event    string // e.g. LAUNCH_FAILED
	Server   SourceServerID
	Instance InstanceID // that was to be made, where the event is about one
	RawError string     // AWS's own words about a failure
}

// Over says whether nothing of the job runs any more.
func (j *Job) Over() bool { return j.Status == JobCompleted }

// JobQuery asks for jobs: by id, or all that were made since a time.
type JobQuery struct {
	IDs   []JobID
	Since time.Time
}

// Launch is what StartRecovery is asked for.
type Launch struct {
	Type    ExecutionType
	Servers []Server
	Tags    map[string]string
}

// Ours says whether the job is the one that the attempt sent, judging by all
// that AWS keeps of it: a launch, begun as we asked, which carries our tags.
// A job without any tag (they may be stripped) is ours only if it holds
// exactly the wave's servers and was made after we sent.
func (a *Attempt) Ours(j *Job, t ExecutionType, want map[string]string, servers []SourceServerID) bool {
	if j.Type != "LAUNCH" || j.InitiatedBy != t.InitiatedBy() {
		return false
	}
	if j.Created.Before(a.FirstSentAt.Add(-LookBack)) {
		return false
	}
	if len(j.Tags) > 0 {
		return sameTags(j.Tags, want)
	}
	// AWS may give times in whole seconds.
	return !j.Created.Before(a.FirstSentAt.Truncate(time.Second)) && sameServers(j.Servers, servers)
}

var identifyingTags = []string{"ExecutionId", "PlanId", "WaveNumber", "Attempt"}

func sameTags(got, want map[string]string) bool {
	for _, key := range identifyingTags {
		if got[key] != want[key] {
			return false
		}
	}
	return true
}

func sameServers(a, b []SourceServerID) bool {
	return slices.Equal(slices.Sorted(slices.Values(a)), slices.Sorted(slices.Values(b)))
}
