package simulator

import (
	"embed"
	"fmt"
	"os"
	"path"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"
)

// DefaultFleet names the built-in fleet that is used where none is asked for.
const DefaultFleet = "three-tier"

// CallersAccount is the account that callers come from unless a fleet says
// otherwise: it holds no servers, and the fleets' roles trust it.
const CallersAccount = "999999999999"

//go:embed fleets/*.yaml
var fleetFiles embed.FS

// Fleet is what the simulated AWS holds when it starts.
type Fleet struct {
	// Name is the file's or the built-in fleet's name; it is not in the file.
	Name string `yaml:"-" json:"name"`
	// Version of the file format: 1.
	Version int `yaml:"version"`
	// Description is for people.
	Description string `yaml:"description"`
	// Seed decides every made-up id and every fault that has a probability.
	// Default 1; Options.Seed overrides it.
	Seed int64 `yaml:"seed"`
	// StrictIDs holds ids to AWS's own patterns, in the file and on the wire.
	// Default true. Only the built-in fleet "specification" says false.
	StrictIDs bool `yaml:"strictIds"`
	// Caller is the account that callers come from. Default 999999999999.
	Caller string `yaml:"caller"`
	// Accounts by their twelve-digit ids (quote them).
	Accounts map[string]*Account `yaml:"accounts"`
	// Groups are protection groups in the form that plan files have. The
	// simulator does not read them; it keeps them for whoever does. Zero if absent.
	Groups yaml.Node `yaml:"groups"`

	order  []string // account ids as the file orders them
	digest string   // of the file's bytes: a journal belongs to one fleet
}

// AccountIDs lists the accounts in the file's order.
func (f *Fleet) AccountIDs() []string { return slices.Clone(f.order) }

// Account is one AWS account.
type Account struct {
	// Roles that others may assume.
	Roles []Role `yaml:"roles"`
	// Regions by name. A region that is not here exists, is empty, and DRS is
	// not initialized in it.
	Regions map[string]*Region `yaml:"regions"`
}

// Role is an IAM role with its trust, and what it must not do.
type Role struct {
	Name string `yaml:"name"`
	// Trusts lists who may assume the role: account ids, or ARNs of roles.
	Trusts []string `yaml:"trusts"`
	// ExternalID, if set, must be given when the role is assumed.
	ExternalID string `yaml:"externalId"`
	// ExternalIDRequired, when false, also lets callers in who give no
	// external id; a wrong one is still refused. Default true.
	ExternalIDRequired bool `yaml:"externalIdRequired"`
	// Deny lists actions that the role may not take, as IAM writes them:
	// "drs:TagResource", "ec2:Create*", "*". Everything else is allowed. What
	// DRS does with its caller's permissions (ec2:RunInstances, …) counts too.
	Deny []string `yaml:"deny"`
	// MaxSession is the longest session, 1h (the default) to 12h. A caller that
	// is itself an assumed role never gets more than 1h.
	MaxSession Duration `yaml:"maxSession"`
}

// Region is one region of an account.
type Region struct {
	// Initialized says whether DRS was ever initialized here. Default true.
	Initialized bool `yaml:"initialized"`
	// PageSize is the number of items in a page where a request names none. Default 200.
	PageSize       int             `yaml:"pageSize"`
	Subnets        []Subnet        `yaml:"subnets"`
	SecurityGroups []SecurityGroup `yaml:"securityGroups"`
	Servers        []Server        `yaml:"servers"`
	// Instances are recovery instances that exist from the beginning.
	Instances []Instance `yaml:"instances"`
	Quotas    Quotas     `yaml:"quotas"`
	// Buckets are request rates by service (drs, ec2, sts) and operation; the
	// operation "*" holds for every one of the service that is not named.
	// They override the documented EC2 rates; DRS and STS have none otherwise.
	Buckets map[string]map[string]Bucket `yaml:"buckets"`
	// Faults are in force here from the beginning.
	Faults []Fault `yaml:"faults"`
}

// Subnet is where instances get their addresses.
type Subnet struct {
	ID   string `yaml:"id"`
	CIDR string `yaml:"cidr"`
	Zone string `yaml:"zone"`
	// VPC defaults to the region's default one.
	VPC string `yaml:"vpc"`
	// Free is the number of addresses left. Default: what the CIDR has, less AWS's five.
	Free int `yaml:"free"`
}

// SecurityGroup exists so that launches can name it.
type SecurityGroup struct {
	ID   string `yaml:"id"`
	Name string `yaml:"name"`
	VPC  string `yaml:"vpc"`
}

// Quotas are DRS's, per account and region.
type Quotas struct {
	// Jobs that may run at the same time. Default 20.
	Jobs int `yaml:"jobs"`
	// ServersInJobs is the number of servers in all running jobs. Default 500.
	ServersInJobs int `yaml:"serversInJobs"`
	// ServersPerJob is the number of servers in one job. Default 100.
	ServersPerJob int `yaml:"serversPerJob"`
}

// Instance is a recovery instance of the beginning.
type Instance struct {
	// Server it was recovered from.
	Server string `yaml:"server"`
	// ID of the EC2 instance. Default: made from the seed.
	ID string `yaml:"id"`
	// Drill says whether a drill made it. Default false: a live one.
	Drill bool `yaml:"drill"`
	// State as DRS spells it. Default RUNNING.
	State string `yaml:"state"`
	// Age is how long ago it was launched. Default 24h.
	Age Duration `yaml:"age"`
}

// FleetNames lists the built-in fleets, the default first.
func FleetNames() []string {
	entries, _ := fleetFiles.ReadDir("fleets")
	names := []string{DefaultFleet}
	for _, e := range entries {
		if name := strings.TrimSuffix(e.Name(), ".yaml"); name != DefaultFleet {
			names = append(names, name)
		}
	}
	return names
}

// LoadFleet gives a built-in fleet by its name, or reads one from a file. The
// empty string is the default fleet. Errors of content are *FleetError.
func LoadFleet(nameOrPath string) (*Fleet, error) {
	if nameOrPath == "" {
		nameOrPath = DefaultFleet
	}
	if slices.Contains(FleetNames(), nameOrPath) {
		data, err := fleetFiles.ReadFile(path.Join("fleets", nameOrPath+".yaml"))
		if err != nil {
			return nil, err
		}
		return ParseFleet(nameOrPath, data)
	}
	data, err := os.ReadFile(nameOrPath)
	if err != nil {
		if !strings.ContainsAny(nameOrPath, "/.\\") {
			return nil, fmt.Errorf("no fleet is called %q (there are %s), and no file: %w",
				nameOrPath, strings.Join(FleetNames(), ", "), err)
		}
		return nil, fmt.Errorf("fleet: %w", err)
	}
	return ParseFleet(nameOrPath, data)
}
