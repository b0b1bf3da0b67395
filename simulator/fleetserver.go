package simulator

// Server is a source server, as DRS knows it.
type Server struct {
	ID string `yaml:"id"`
	// Hostname of the source machine.
	Hostname string `yaml:"hostname"`
	// FQDN defaults to the hostname.
	FQDN string            `yaml:"fqdn"`
	Tags map[string]string `yaml:"tags"`
	// Replication is DRS's dataReplicationState. Default CONTINUOUS.
	Replication string `yaml:"replication"`
	// ReplicationError is DRS's dataReplicationError.error, if any.
	ReplicationError string `yaml:"replicationError"`
	// Lag behind the source. Default 0.
	Lag Duration `yaml:"lag"`
	// Staging is DRS's stagingArea.status: NOT_EXTENDED (the default), EXTENDED or EXTENSION_ERROR.
	Staging string `yaml:"staging"`
	// StagingError is the message that goes with EXTENSION_ERROR.
	StagingError string `yaml:"stagingError"`
	// Snapshots are the recovery points of the beginning. Default: for a server
	// that replicates one, ten minutes old; for any other none.
	Snapshots []Snapshot `yaml:"snapshots"`
	// SnapshotEvery is how often a CONTINUOUS server makes a recovery point
	// while the world runs; the newest six are kept. Default 10m; 0 never.
	SnapshotEvery Duration `yaml:"snapshotEvery"`
	// Added says how long ago the server was added to DRS. Default 720h.
	Added Duration `yaml:"added"`
	// Seen says how long ago its agent was last seen. Default 0: just now.
	Seen Duration `yaml:"seen"`

	// OS, CPUs (cores), RAMGiB, IPs and Disks describe the source machine.
	OS     string   `yaml:"os"`
	CPUs   int      `yaml:"cpus"`
	RAMGiB int      `yaml:"ramGiB"`
	IPs    []string `yaml:"ips"`
	Disks  []Disk   `yaml:"disks"`
	// Recommended is the instance type that DRS recommends, and launches where
	// right-sizing is active. Default m5.large.
	Recommended string `yaml:"recommended"`

	Launch   LaunchSettings `yaml:"launch"`
	Template Template       `yaml:"template"`
	Launches Launches       `yaml:"launches"`
}

// Disk of a source machine.
type Disk struct {
	Device  string `yaml:"device"`
	SizeGiB int    `yaml:"sizeGiB"`
}

// Snapshot is a recovery point.
type Snapshot struct {
	// ID, pit-…. Default: made from the seed.
	ID string `yaml:"id"`
	// Age when the world starts.
	Age Duration `yaml:"age"`
	// Unfinished makes it one that DRS expects and has not: no timestamp, not usable.
	Unfinished bool `yaml:"unfinished"`
}

// LaunchSettings are what GetLaunchConfiguration shows, in AWS's spelling.
type LaunchSettings struct {
	// Name defaults to the hostname.
	Name string `yaml:"name"`
	// LaunchDisposition is STARTED (the default) or STOPPED.
	LaunchDisposition string `yaml:"launchDisposition"`
	// RightSizing is NONE (the default), BASIC or IN_AWS.
	RightSizing   string    `yaml:"targetInstanceTypeRightSizingMethod"`
	CopyPrivateIP bool      `yaml:"copyPrivateIp"`
	CopyTags      bool      `yaml:"copyTags"`
	Licensing     Licensing `yaml:"licensing"`
	PostLaunch    bool      `yaml:"postLaunchEnabled"`
}

// Licensing of the source's operating system.
type Licensing struct {
	OSBYOL bool `yaml:"osByol"`
}

// Template is the default version of the server's EC2 launch template.
type Template struct {
	// ID, lt-…. Default: made from the seed.
	ID string `yaml:"id"`
	// InstanceType. Default m5.large.
	InstanceType string `yaml:"instanceType"`
	// Subnet, SecurityGroups and PrivateIP are the first network interface's.
	// Without a subnet the template has no first interface, and EC2 chooses.
	Subnet         string   `yaml:"subnet"`
	SecurityGroups []string `yaml:"securityGroups"`
	PrivateIP      string   `yaml:"privateIp"`
	// InstanceProfile by name or by ARN.
	InstanceProfile string `yaml:"instanceProfile"`
	// Interfaces beyond the first one.
	Interfaces   []Interface   `yaml:"interfaces"`
	BlockDevices []BlockDevice `yaml:"blockDevices"`
	// Tags and VolumeTags are its tag specifications for instance and volumes.
	Tags       map[string]string `yaml:"tags"`
	VolumeTags map[string]string `yaml:"volumeTags"`
	Metadata   *MetadataOptions  `yaml:"metadata"`
	KeyName    string            `yaml:"keyName"`
	// UserData in base64, as EC2 takes it.
	UserData     string `yaml:"userData"`
	EBSOptimized bool   `yaml:"ebsOptimized"`
	Monitoring   bool   `yaml:"monitoring"`
}

// Interface is a network interface beyond the first.
type Interface struct {
	Subnet         string   `yaml:"subnet"`
	SecurityGroups []string `yaml:"securityGroups"`
	PrivateIP      string   `yaml:"privateIp"`
	Description    string   `yaml:"description"`
}

// BlockDevice of a template.
type BlockDevice struct {
	Device string `yaml:"device"`
	// SizeGiB, IOPS and Throughput (MiB/s) are left out where 0.
	SizeGiB    int    `yaml:"sizeGiB"`
	Type       string `yaml:"type"`
	IOPS       int    `yaml:"iops"`
	Throughput int    `yaml:"throughput"`
	Encrypted  bool   `yaml:"encrypted"`
	KMSKey     string `yaml:"kmsKey"`
	// Keep leaves the volume when the instance goes.
	Keep bool `yaml:"keep"`
}

// MetadataOptions of a template, in EC2's words.
type MetadataOptions struct {
	HTTPTokens   string `yaml:"httpTokens"`
	HTTPEndpoint string `yaml:"httpEndpoint"`
	HopLimit     int    `yaml:"httpPutResponseHopLimit"`
	InstanceTags string `yaml:"instanceMetadataTags"`
}

// Launches says how launching the server goes, faults apart.
type Launches struct {
	// Duration from StartRecovery to the end of the server's launch. Default 8m.
	Duration Duration `yaml:"duration"`
	// Fate is LAUNCHED (the default), FAILED or SKIPPED.
	Fate string `yaml:"fate"`
	// Phase in which a FAILED launch fails: SNAPSHOT, CONVERSION or LAUNCH (the default).
	Phase string `yaml:"phase"`
	// RawError that the job's log shows for a FAILED launch.
	RawError string `yaml:"rawError"`
	// Job is the id of the job that next launches this server as its first one.
	Job string `yaml:"job"`
}
