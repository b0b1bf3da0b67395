package simulator

import (
	"strings"
	"sync"
)

// templateField says how one field of a launch template is spelled, of which kind it is, and what is inside.
type templateField struct {
	Wire    string                    // its element in an answer: blockDeviceMappingSet
	Kind    string                    // text, flag, number, object, texts (a list of them), objects
	Element string                    // a list's elements in an answer
	Fields  map[string]*templateField // an object's, or those of a list's objects, by the name in a request
}

// templateFields is the top of RequestLaunchTemplateData.
var templateFields = sync.OnceValue(func() *templateField {
	root := newTemplateField("", "object", "")
	path := []*templateField{root}
	for line := range strings.Lines(strings.TrimSpace(templateFieldTable)) {
		words := strings.Fields(line)
		depth := len(line) - len(strings.TrimLeft(line, "\t"))
		name := words[0]
		kind, element, _ := strings.Cut(words[2], ":")
		wire := words[1]
		if wire == "-" {
			wire = lowerFirst(name)
		}
		f := newTemplateField(wire, kind, element)
		path[depth].Fields[name] = f
		path = append(path[:depth+1], f)
	}
	return root
})

func newTemplateField(wire, kind, element string) *templateField {
	if element == "" {
		element = "item"
	}
	return &templateField{Wire: wire, Kind: kind, Element: element, Fields: make(map[string]*templateField)}
}

func lowerFirst(s string) string {
	if s == "" {
		return s
	}
	return strings.ToLower(s[:1]) + s[1:]
}

// templateFieldTable has a line for each field: its name in a request, its element in an answer ("-" for the same name with a small first letter), and its kind (with
// the element of a list's members, where that is not "item"). Indentation is nesting. EC2 spells hardly any list the
// same way in both directions. Derived from AWS's public API model of EC2 (2016-11-15), Apache License 2.0; see NOTICE.
const templateFieldTable = `
BlockDeviceMapping blockDeviceMappingSet objects
	DeviceName - text
	Ebs - object
		DeleteOnTermination - flag
		EbsCardIndex - number
		Encrypted - flag
		Iops - number
		KmsKeyId - text
		SnapshotId - text
		Throughput - number
		VolumeInitializationRate - number
		VolumeSize - number
		VolumeType - text
	NoDevice - text
	VirtualName - text
CapacityReservationSpecification - object
	CapacityReservationPreference - text
	CapacityReservationTarget - object
		CapacityReservationId - text
		CapacityReservationResourceGroupArn - text
CpuOptions - object
	AmdSevSnp - text
	CoreCount - number
	NestedVirtualization - text
	ThreadsPerCore - number
CreditSpecification - object
	CpuCredits - text
DisableApiStop - flag
DisableApiTermination - flag
EbsOptimized - flag
ElasticGpuSpecification elasticGpuSpecificationSet objects
	Type - text
ElasticInferenceAccelerator elasticInferenceAcceleratorSet objects
	Count - number
	Type - text
EnclaveOptions - object
	Enabled - flag
HibernationOptions - object
	Configured - flag
IamInstanceProfile - object
	Arn - text
	Name - text
ImageId - text
InstanceInitiatedShutdownBehavior - text
InstanceMarketOptions - object
	MarketType - text
	SpotOptions - object
		BlockDurationMinutes - number
		InstanceInterruptionBehavior - text
		MaxPrice - text
		SpotInstanceType - text
		ValidUntil - text
InstanceRequirements - object
	AcceleratorCount - object
		Max - number
		Min - number
	AcceleratorManufacturer acceleratorManufacturerSet texts
	AcceleratorName acceleratorNameSet texts
	AcceleratorTotalMemoryMiB - object
		Max - number
		Min - number
	AcceleratorType acceleratorTypeSet texts
	AllowedInstanceType allowedInstanceTypeSet texts
	BareMetal - text
	BaselineEbsBandwidthMbps - object
		Max - number
		Min - number
	BaselinePerformanceFactors - object
		Cpu - object
			Reference referenceSet objects
				InstanceFamily - text
	BurstablePerformance - text
	CpuManufacturer cpuManufacturerSet texts
	ExcludedInstanceType excludedInstanceTypeSet texts
	InstanceGeneration instanceGenerationSet texts
	LocalStorage - text
	LocalStorageType localStorageTypeSet texts
	MaxSpotPriceAsPercentageOfOptimalOnDemandPrice - number
	MemoryGiBPerVCpu - object
		Max - text
		Min - text
	MemoryMiB - object
		Max - number
		Min - number
	NetworkBandwidthGbps - object
		Max - text
		Min - text
	NetworkInterfaceCount - object
		Max - number
		Min - number
	OnDemandMaxPricePercentageOverLowestPrice - number
	RequireEncryptionInTransit - flag
	RequireHibernateSupport - flag
	SpotMaxPricePercentageOverLowestPrice - number
	TotalLocalStorageGB - object
		Max - text
		Min - text
	VCpuCount - object
		Max - number
		Min - number
InstanceType - text
KernelId - text
KeyName - text
LicenseSpecification licenseSet objects
	LicenseConfigurationArn - text
MaintenanceOptions - object
	AutoRecovery - text
MetadataOptions - object
	HttpEndpoint - text
	HttpProtocolIpv6 - text
	HttpPutResponseHopLimit - number
	HttpTokens - text
	InstanceMetadataTags - text
Monitoring - object
	Enabled - flag
NetworkInterface networkInterfaceSet objects
	AssociateCarrierIpAddress - flag
	AssociatePublicIpAddress - flag
	ConnectionTrackingSpecification - object
		TcpEstablishedTimeout - number
		UdpStreamTimeout - number
		UdpTimeout - number
	DeleteOnTermination - flag
	Description - text
	DeviceIndex - number
	EnaQueueCount - number
	EnaSrdSpecification - object
		EnaSrdEnabled - flag
		EnaSrdUdpSpecification - object
			EnaSrdUdpEnabled - flag
	SecurityGroupId groupSet texts:groupId
	InterfaceType - text
	Ipv4PrefixCount - number
	Ipv4Prefix ipv4PrefixSet objects
		Ipv4Prefix - text
	Ipv6AddressCount - number
	Ipv6Addresses ipv6AddressesSet objects
		Ipv6Address - text
	Ipv6PrefixCount - number
	Ipv6Prefix ipv6PrefixSet objects
		Ipv6Prefix - text
	NetworkCardIndex - number
	NetworkInterfaceId - text
	PrimaryIpv6 - flag
	PrivateIpAddress - text
	PrivateIpAddresses privateIpAddressesSet objects
		Primary - flag
		PrivateIpAddress - text
	SecondaryPrivateIpAddressCount - number
	SubnetId - text
NetworkPerformanceOptions - object
	BandwidthWeighting - text
Operator - object
	Principal - text
Placement - object
	Affinity - text
	AvailabilityZone - text
	AvailabilityZoneId - text
	GroupId - text
	GroupName - text
	HostId - text
	HostResourceGroupArn - text
	PartitionNumber - number
	SpreadDomain - text
	Tenancy - text
PrivateDnsNameOptions - object
	EnableResourceNameDnsAAAARecord - flag
	EnableResourceNameDnsARecord - flag
	HostnameType - text
RamDiskId - text
SecondaryInterface secondaryInterfaceSet objects
	DeleteOnTermination - flag
	DeviceIndex - number
	InterfaceType - text
	NetworkCardIndex - number
	PrivateIpAddressCount - number
	PrivateIpAddress privateIpAddressesSet objects
		PrivateIpAddress - text
	SecondarySubnetId - text
SecurityGroupId securityGroupIdSet texts
SecurityGroup securityGroupSet texts
TagSpecification tagSpecificationSet objects
	ResourceType - text
	Tag tagSet objects
		Key - text
		Value - text
UserData - text
`
