// Made by scripts/schema.mjs from docs/FORMAT.md, section 8.
export default `Suite =
  0 blake3-ed25519

Role =
  0 bank
  1 micro_lender
  2 guarantor
  3 data_provider
  4 platform
  5 court
  6 regulator
  7 notary

Record = {
  version: u16
  flow: FlowId
  seq: u64
  prev: RecordId
  phase: Phase
  occurred_at: Timestamp
  rule_pack: u32
  data_class: DataClass
  level: u8
  retention: Retention
  documents: List<Document, DOCUMENTS_PER_RECORD>
  body: Body
}

Phase =
  0 P01
  1 P02
  2 P03
  3 P04
  4 P05
  5 P06
  6 P07
  7 P08
  8 P09
  9 P10
  10 P11
  11 P12
  12 P13
  13 P14
  14 P15
  15 P16
  16 P17
  17 P18
  18 P19
  19 P00

DataClass =
  0 C1
  1 C2

Retention =
  0 log
  1 assessment
  2 collection
  3 loan_file

Document = {
  sha256: Digest256
  sm3: Digest256
  length: u64
  media_type: Text<64>
  role: DocumentRole
  name: Commitment
}

DocumentRole =
  0 contract
  1 terms
  2 disclosure
  3 clause_prompt
  4 guarantee
  5 resolution
  6 voucher
  7 notice
  8 recording
  9 transcript
  10 consent_notice
  11 report
  12 other

Body =
  0 loan_contract LoanContract
  1 guarantee Guarantee
  2 disbursement Disbursement
  3 repayment Repayment
  4 collection Collection
  5 consent_grant ConsentGrant
  6 consent_revoke ConsentRevoke
  7 data_access DataAccess
  8 model_training ModelTraining
  9 motion Motion
  10 ballot Ballot
  11 fault Fault

Collection = {
  debtor: Subject
  channel: CollectionChannel
  agent: CollectionAgent
  agent_id: Commitment
  contact: Commitment
  contact_role: ContactRole
  to_agreed_address: bool
  start: Timestamp
  end: Timestamp
  reached: Reached
  demand_amount: Fen
  as_of: Date
  outcome: CollectionOutcome
  script: Option<Text<64>>
  mandate_no: Option<Commitment>
  complaint: Option<Complaint>
}

CollectionChannel =
  0 phone
  1 sms
  2 app
  3 email
  4 letter
  5 visit
  6 ai_call
  7 lawyer_letter
  8 court_notice

CollectionAgent =
  0 own
  1 outsourced InstitutionId
  2 model FlowId

ContactRole =
  0 debtor
  1 guarantor
  2 agreed_contact
  3 third_party
  4 unknown

Reached =
  0 yes
  1 no
  2 voicemail
  3 read
  4 refused

CollectionOutcome =
  0 none
  1 promise { on: Date, amount: Fen }
  2 dispute
  3 complaint
  4 hardship
  5 paid

Complaint = {
  number: Commitment
  opened_at: Timestamp
  closed_at: Option<Timestamp>
}

ConsentGrant = {
  subject: Subject
  grantor: Grantor
  controller: InstitutionId
  recipients: List<InstitutionId, 8>
  basis: LegalBasis
  kind: ConsentKind
  purposes: List<Text<32>, 8>
  means: Text<64>
  data_classes: List<Text<32>, 8>
  sources: List<Text<32>, 8>
  valid_from: Timestamp
  validity: ConsentValidity
  display: ConsentDisplay
  will: WillProof
  consideration: Option<Text<64>>
  withdraw_channel: Text<64>
  replaces: Option<FlowId>
}

Grantor =
  0 self
  1 legal_representative
  2 trustee

LegalBasis =
  0 consent
  1 contract
  2 duty
  3 emergency
  4 public_interest
  5 already_public
  6 other_law

ConsentKind =
  0 general
  1 separate_sharing
  2 separate_sensitive
  3 credit_query
  4 credit_collect
  5 cross_province
  6 model_training

ConsentValidity =
  0 until Timestamp
  1 one_time
  2 loan_life FlowId
  3 open

ConsentDisplay = {
  page: Text<64>
  dwell: Millis
  default_unchecked: bool
}

WillProof = {
  method: WillMethod
  proof: Option<Commitment>
}

WillMethod =
  0 paper
  1 click
  2 sms
  3 face
  4 signature
  5 recording

ConsentRevoke = {
  subject: Subject
  at: Timestamp
  by: RevokedBy
  channel: Text<64>
}

RevokedBy =
  0 controller
  1 agent

DataAccess = {
  system: Text<64>
  actor: AccessActor
  role: Text<32>
  recipient: InstitutionId
  operation: AccessOperation
  target: AccessTarget
  field_set: Text<64>
  data_class: Text<32>
  rows: u32
  purpose: Text<32>
  basis: AccessBasis
  application: Option<FlowId>
  ticket: Option<Commitment>
  outcome: AccessOutcome
  masking_policy: Option<Text<32>>
  from_province: Option<u8>
  to_province: Option<u8>
  at: Timestamp
}

AccessActor =
  0 human Commitment
  1 service Text<64>
  2 model FlowId

AccessOperation =
  0 read
  1 export
  2 query
  3 credit_query
  4 join
  5 print
  6 delete

AccessTarget =
  0 subject Subject
  1 query Commitment

AccessBasis =
  0 consent FlowId
  1 law LegalBasis
  2 none

AccessOutcome =
  0 allowed
  1 masked
  2 denied

Disbursement = {
  drawdown_no: u32
  amount: Fen
  value_date: Date
  channel: DisbursementChannel
  payer_account: Commitment
  payee_account: Commitment
  payee_is_borrower: bool
  bank_txn: Commitment
  deductions: List<Deduction, 8>
  status: DisbursementStatus
}

DisbursementChannel =
  0 core
  1 inter_bank
  2 nets_union
  3 digital_currency
  4 entrusted

Deduction = {
  kind: DeductionKind
  amount: Fen
}

DeductionKind =
  0 interest
  1 fee
  2 deposit
  3 other

DisbursementStatus =
  0 instructed
  1 paid
  2 failed
  3 reversed

Motion = {
  change: Change
  from: Height
  closes_at: Timestamp
  reason: Text<REASON_BYTES>
}

Change =
  0 validators SeatChange
  1 admit Admission
  2 suspend InstitutionId
  3 keys KeyChange

SeatChange = {
  seats: List<Seat, SEATS_PER_MOTION>
  leave: List<InstitutionId, SEATS_PER_MOTION>
}

Seat = {
  institution: InstitutionId
  key: ProvenKey
  node: PublicKey
}

Admission = {
  institution: InstitutionId
  profile: Profile
  roles: List<Role, ROLES>
  keys: List<ProvenKey, SUBMISSION_KEYS>
  nodes: List<AdmittedNode, NODES_PER_INSTITUTION>
}

Profile = {
  zh: Text<NAME_BYTES>
  en: Text<NAME_BYTES>
  group: Text<GROUP_BYTES>
}

AdmittedNode = {
  node: ProvenKey
  address: Address
}

KeyChange = {
  institution: InstitutionId
  add: Option<ProvenKey>
  revoke: Option<Revocation>
}

Revocation = {
  key: PublicKey
  overlap: u64
}

ProvenKey = {
  key: PublicKey
  proof: Signature
}

Ballot = {
  motion: FlowId
  approve: bool
  seen: List<ValidatorIndex, VALIDATORS>
}

Guarantee = {
  number: u16
  action: GuaranteeAction
}

GuaranteeAction =
  0 sign GuaranteeTerms
  1 claim_notice ClaimNotice
  2 claim_decision ClaimDecision
  3 claim_paid ClaimPayment
  4 recovery Recovery
  5 release ReleaseReason

GuaranteeTerms = {
  kind: GuaranteeKind
  contract_no: Commitment
  signed_on: Date
  max_amount: Option<Fen>
  scope: GuaranteeScope
  period_months: Option<u16>
  guarantors: List<Guarantor, 8>
  recourse_agreed: bool
  risk_shares: List<RiskShare, 8>
  scheme: Option<Text<16>>
  exposure: Fen
  fee: Bp
  counter_guarantee: bool
  signers: List<Signer, 8>
}

GuaranteeKind =
  0 general
  1 joint
  2 mortgage
  3 pledge
  4 maximum_amount
  5 unclear

GuaranteeScope = {
  principal: bool
  interest: bool
  penalty: bool
  costs: bool
}

Guarantor = {
  party: Party
  share: Option<Bp>
  group: u8
  registration_no: Option<Commitment>
}

RiskShare = {
  role: RiskRole
  institution: Option<InstitutionId>
  share: Bp
}

RiskRole =
  0 guarantor
  1 lender
  2 re_guarantor
  3 government_fund
  4 borrower_self

ClaimNotice = {
  demanded_on: Date
  sued_on: Option<Date>
  enforcement_exhausted: bool
  parts: ClaimParts
}

ClaimParts = {
  principal: Fen
  interest: Fen
  penalty: Fen
  costs: Fen
}

ClaimDecision = {
  accepted: Fen
  reason: Option<Text<128>>
}

ClaimPayment = {
  loss: Fen
  allocation: List<Fen, 8>
  payer: InstitutionId
  payee: InstitutionId
  paid_on: Date
  bank_txn: Commitment
}

Recovery = {
  amount: Fen
  from: RecoverySource
  allocation: List<Fen, 8>
  recovered_on: Date
  bank_txn: Commitment
}

RecoverySource =
  0 borrower
  1 co_guarantor
  2 collateral
  3 counter_guarantee

ReleaseReason =
  0 debt_settled
  1 consent
  2 period_lapsed

LoanContract = {
  contract_no: Commitment
  product: Text<64>
  lender: InstitutionId
  lender_class: LenderClass
  borrowers: List<Party, 8>
  joint: bool
  principal: Fen
  revolving: bool
  currency: Currency
  signed_on: Date
  start: Date
  end: Date
  rate: InterestRate
  apr_disclosed: Rate
  apr_method: AprMethod
  fees: List<Fee, 8>
  overdue_rate: OverdueRate
  compound: bool
  penalty: Fen
  repay_method: RepayMethod
  schedule: Schedule
  purpose: Text<32>
  signers: List<Signer, 8>
  consent: Option<FlowId>
  decision_model: Option<ModelVersionRef>
  service_address_agreed: bool
  electronic_service_agreed: bool
  own_allocation_order: bool
  jurisdiction: Jurisdiction
  small_claims_agreed: bool
  notarised: bool
  sandbox: Option<Text<32>>
  esg_tag: Option<Text<32>>
}

LenderClass =
  0 bank
  1 internet_bank
  2 small_loan
  3 consumer_finance
  4 other_financial
  5 non_financial

InterestRate = {
  nominal: Rate
  kind: RateKind
  day_count: DayCount
}

RateKind =
  0 fixed
  1 lpr_plus { tenor: LprTenor, spread_bp: i16 }

LprTenor =
  0 one_year
  1 five_years

DayCount =
  0 days360
  1 days365

AprMethod =
  0 compound
  1 simple

Fee = {
  kind: FeeKind
  payee: FeePayee
  amount: Fen
  due: Date
}

FeeKind =
  0 handling
  1 guarantee
  2 insurance
  3 service
  4 appraisal
  5 registration
  6 other

FeePayee =
  0 lender
  1 guarantor
  2 platform
  3 third_party

OverdueRate =
  0 fixed Rate
  1 multiple { percent: u16 }

RepayMethod =
  0 equal_instalments
  1 equal_principal
  2 interest_first
  3 bullet
  4 on_demand

Schedule =
  0 on_demand
  1 rows List<Instalment, 120>
  2 outline { terms: u16, first_due: Date, every_months: u8, principal: Fen, interest: Fen, root: Hash }

Instalment = {
  due: Date
  principal: Fen
  interest: Fen
}

ModelVersionRef = {
  model: FlowId
  version: Text<32>
}

Jurisdiction =
  0 court Text<32>
  1 arbitration Text<32>

ModelTraining = {
  model_id: Text<64>
  version: Text<32>
  step: ModelStep
}

ModelStep =
  0 started { parent: Option<Text<32>> }
  1 finished TrainingRun
  2 aborted { reason: Text<128> }
  3 reviewed
  4 approved { approval_no: Text<64> }
  5 deployed Deployment
  6 rolled_back { reason: Text<128> }
  7 retired

TrainingRun = {
  run_id: Text<32>
  parent: Option<Text<32>>
  purpose: ModelUse
  datasets: List<Dataset, 6>
  process: TrainingProcess
  metrics: List<Metric, 8>
  bias_report: Option<Digest256>
  filing_no: Option<Text<64>>
  mode: TrainingMode
  sandbox: Option<Text<32>>
  cosignatures: List<Cosignature, 8>
}

ModelUse =
  0 admission
  1 pricing
  2 limit
  3 collection
  4 fraud
  5 marketing

Dataset = {
  source: Text<64>
  acquired_on: Date
  rows: u32
  storage_medium: Option<Commitment>
  checksum: Option<Digest256>
  sampling: Text<32>
  consent: Option<FlowId>
  masking: Option<Text<32>>
  dp_epsilon_thousandths: Option<u32>
}

TrainingProcess = {
  script: Digest256
  environment: Digest256
  operator: Commitment
  started_at: Timestamp
  ended_at: Timestamp
  iterations: u32
  iteration_log: Digest256
  seed: u32
}

Metric = {
  name: Text<16>
  millionths: i32
}

TrainingMode =
  0 local
  1 federated
  2 multi_party
  3 trusted_environment

Cosignature = {
  institution: InstitutionId
  key: PublicKey
  signature: Signature
}

Deployment = {
  operator: Commitment
  at: Timestamp
  result: DeploymentResult
  script: Digest256
  environment: Digest256
}

DeploymentResult =
  0 success
  1 failure

Party = {
  kind: PartyKind
  org: Option<InstitutionId>
  subject: Subject
  role: PartyRole
  name: Commitment
  identifier: Commitment
  identified_at: Option<Timestamp>
}

PartyKind =
  0 person
  1 org
  2 sole_trader

PartyRole =
  0 borrower
  1 co_borrower
  2 guarantor
  3 security_provider

Signer = {
  party: Signatory
  methods: List<SignMethod, 4>
  certificate: Option<Certificate>
  signature: Option<Digest256>
  at: Timestamp
  ip: Option<Commitment>
  device: Option<Commitment>
}

Signatory =
  0 lender
  1 party Subject

SignMethod =
  0 handwritten
  1 sms
  2 face
  3 hardware_key
  4 password
  5 seal

Certificate = {
  sha256: Digest256
  issuer: Text<64>
  single_use: bool
}

RecordType =
  0 loan_contract
  1 guarantee
  2 disbursement
  3 repayment
  4 collection
  5 consent_grant
  6 consent_revoke
  7 data_access
  8 model_training
  9 motion
  10 ballot
  11 fault

Repayment = {
  index: u32
  due_date: Date
  paid_at: Timestamp
  amount: Fen
  allocation: Allocation
  unpaid_cost: Fen
  unpaid_interest: Fen
  source: RepaymentSource
  bank_txn: Commitment
  remaining_principal: Fen
  remaining_terms: u16
  result: RepaymentResult
}

Allocation = {
  cost: Fen
  fee: Fen
  interest: Fen
  penalty: Fen
  compound: Fen
  principal: Fen
}

RepaymentSource =
  0 direct_debit
  1 voluntary
  2 guarantor
  3 collateral
  4 third_party
  5 court

RepaymentResult =
  0 success
  1 fail
  2 reversed

SubmissionHead = {
  version: u16
  suite: Suite
  chain: Hash
  institution: InstitutionId
  key: PublicKey
  idempotency_key: IdempotencyKey
  submitted_at: Timestamp
  expires_at: Timestamp
  record_count: u32
  records_root: Hash
}

Submission = {
  head: SubmissionHead
  signature: Signature
  records: List<Record, RECORDS_PER_SUBMISSION>
}

Outcome =
  0 accepted { findings: List<Code, FINDINGS_PER_RECORD> }
  1 rejected { code: Code }

OutcomeLeaf = {
  record: RecordId
  submission: SubmissionId
  outcome: Outcome
}

Proposal = {
  suite: Suite
  chain: Hash
  height: Height
  parent: Hash
  time: Timestamp
  proposer: ValidatorIndex
  submissions: List<Submission, SUBMISSIONS_PER_PROPOSAL>
}

Header = {
  version: u16
  suite: Suite
  chain: Hash
  height: Height
  time: Timestamp
  parent: Hash
  submission_count: u32
  submissions_root: Hash
  record_count: u32
  outcomes_root: Hash
  state_root: Hash
  history_root: Hash
  validators: Hash
  next_validators: Hash
  proposer: ValidatorIndex
}

SealedBlock = {
  header: Header
  seal: Seal
  proposal: Proposal
  outcomes: List<Outcome, RECORDS_PER_PROPOSAL>
}

Validator = {
  institution: InstitutionId
  key: PublicKey
}

SealVote = {
  validator: ValidatorIndex
  signature: Signature
}

Seal = {
  view: View
  votes: List<SealVote, VALIDATORS>
}

VoteKind =
  0 pre_prepare
  1 prepare
  2 commit

SignedContent = {
  content: Hash
  signature: Signature
}

Fault = {
  suite: Suite
  chain: Hash
  height: Height
  view: View
  kind: VoteKind
  validator: ValidatorIndex
  key: PublicKey
  first: SignedContent
  second: SignedContent
}

Epoch = {
  number: u32
  first: Height
  set: ValidatorSet
}

Validators = {
  epoch: u32
  scheduled: Option<Scheduled>
}

Scheduled = {
  epoch: Epoch
  motion: FlowId
  nodes: List<VotingNode, SEATS_PER_MOTION>
}

VotingNode = {
  institution: InstitutionId
  node: PublicKey
}

NodeEntry = {
  institution: InstitutionId
  node: PublicKey
  address: Address
  votes: bool
}

StateKey =
  0 institution InstitutionId
  1 flow FlowId
  2 document Digest256
  3 transaction { institution: InstitutionId, transaction: Commitment }
  4 rule_pack
  5 validators
  6 epoch u32
  7 directory
  8 profile InstitutionId
  9 fault FaultPlace
  10 key PublicKey

FaultPlace = {
  key: PublicKey
  height: Height
  view: View
  kind: VoteKind
}

StateValue =
  0 institution InstitutionState
  1 flow FlowState
  2 document Sighting
  3 transaction TransactionState
  4 rule_pack RulePack
  5 validators Validators
  6 epoch Epoch
  7 directory Directory
  8 profile Profile
  9 fault Sighting
  10 key KeyHolder

InstitutionState = {
  roles: List<Role, ROLES>
  admitted_at: Height
  suspended_at: Option<Height>
  keys: List<KeyState, KEYS_PER_INSTITUTION>
}

KeyState = {
  key: PublicKey
  valid_from: Height
  revoked_at: Option<Height>
}

KeyHolder = {
  institution: InstitutionId
  purpose: KeyPurpose
}

KeyPurpose =
  0 submission
  1 vote
  2 node

Sighting = {
  height: Height
  flow: FlowId
  record: RecordId
}

TransactionState = {
  record: RecordId
  flow: FlowId
  amount: Fen
  kind: TransactionKind
  reversed: Option<RecordId>
}

TransactionKind =
  0 disbursement { received: Fen, fees: Fen }
  1 repayment Allocation
  2 claim
  3 recovery

FlowState = {
  owner: InstitutionId
  opened_at: Height
  count: u64
  head: Hash
  submitters: List<SubmitterState, SUBMITTERS_PER_FLOW>
  object: Object
}

SubmitterState = {
  institution: InstitutionId
  seq: u64
  last: RecordId
}

Object =
  0 facility Facility
  1 consent Consent
  2 access_log AccessLog
  3 model Model
  4 motion MotionState
  5 ballot Ballot
  6 fault Fault

AccessLog = {
  system: Text<64>
  allowed: u64
  masked: u64
  denied: u64
  without_consent: u64
  rows: u64
  last_at: Timestamp
}

Consent = {
  status: ConsentStatus
  grant: RecordId
  subject: Subject
  controller: InstitutionId
  recipients: List<InstitutionId, 8>
  basis: LegalBasis
  kind: ConsentKind
  purposes: List<Text<32>, 8>
  data_classes: List<Text<32>, 8>
  valid_from: Timestamp
  validity: ConsentValidity
  uses: u64
  revoked_at: Option<Height>
  superseded_by: Option<FlowId>
}

ConsentStatus =
  0 granted
  1 active
  2 exhausted
  3 expired
  4 revoked
  5 superseded

Facility = {
  status: FacilityStatus
  contract: RecordId
  lender: InstitutionId
  lender_class: LenderClass
  currency: Currency
  signed_on: Date
  start: Date
  end: Date
  revolving: bool
  principal: Fen
  rate: Rate
  overdue_rate: Rate
  day_count: DayCount
  interest_scheduled: Option<Fen>
  terms: u16
  fees_agreed: Fen
  fees_paid: Fen
  penalty: Fen
  own_allocation_order: bool
  service_address_agreed: bool
  disbursed: Fen
  received: Fen
  repaid: Fen
  interest_paid: Fen
  interest_from: Option<Date>
  drawdowns: u32
  pending: List<PendingDrawdown, PENDING_DRAWDOWNS>
  last_index: u32
  last_paid_at: Option<Timestamp>
  overdue: Option<Overdue>
  last_demand: Option<Date>
  collections: u32
  guarantees: List<GuaranteeState, GUARANTEES_PER_FACILITY>
  debtors: List<Debtor, DEBTORS_PER_FACILITY>
}

FacilityStatus =
  0 signed
  1 effective
  2 performing
  3 overdue
  4 settled

PendingDrawdown = {
  number: u32
  amount: Fen
}

Overdue = {
  index: u32
  since: Date
}

Debtor = {
  subject: Subject
  guarantee: Option<u16>
  latest: Date
  contacts: [u16; 7]
}

GuaranteeState = {
  number: u16
  status: GuaranteeStatus
  record: RecordId
  kind: GuaranteeKind
  max_amount: Option<Fen>
  scope: GuaranteeScope
  expires: Date
  guarantors: List<InstitutionId, 8>
  guarantor_count: u8
  recourse_agreed: bool
  risk_shares: List<RiskShare, 8>
  claimed: Fen
  accepted: Fen
  settled: Fen
  paid: Fen
  recovered: Fen
}

GuaranteeStatus =
  0 signed
  1 in_force
  2 claim_noticed
  3 claim_accepted
  4 claim_refused
  5 claim_paid
  6 recourse
  7 closed
  8 released
  9 expired

Model = {
  model_id: Text<64>
  versions: List<ModelVersion, VERSIONS_PER_MODEL>
  deployed: Option<Text<32>>
  runs: u64
}

ModelVersion = {
  name: Text<32>
  status: VersionStatus
  run: Option<RecordId>
  purpose: Option<ModelUse>
  filed: bool
  approved: bool
}

VersionStatus =
  0 started
  1 finished
  2 aborted
  3 reviewed
  4 approved
  5 deployed
  6 rolled_back
  7 retired

MotionState = {
  change: Change
  from: Height
  closes_at: Timestamp
  epoch: u32
  ballots: List<Option<bool>, VALIDATORS>
  seen: List<u16, VALIDATORS>
  status: MotionStatus
}

MotionStatus =
  0 open
  1 approved { from: Height, by: RecordId }
  2 refused { code: Code }

RulePack = {
  version: u32
  effective_from: Date
  utc_offset_minutes: i32
  lpr_one_year: List<LprPoint, 1_024>
  late_after: Millis
  clock_skew: Millis
  rate_caps: List<RateCap, 64>
  apr_tolerance: Rate
  overdue_multiple_percent: u16
  guarantee_months: u16
  guarantee_schemes: List<GuaranteeScheme, 16>
  limitation_years: u16
  collection: CollectionRules
  consent_dwell: Millis
  export_rows: u32
  work_hours: DayHours
}

LprPoint = {
  from: Date
  rate: Rate
}

RateCap = {
  class: LenderClass
  from: Date
  cap: Cap
}

Cap =
  0 fixed Rate
  1 lpr_percent u16

GuaranteeScheme = {
  code: Text<16>
  max_exposure: Fen
  shares: List<Bp, 8>
}

CollectionRules = {
  hours: DayHours
  per_day: u16
  per_week: u16
  complaint: Millis
}

DayHours = {
  from: u16
  to: u16
}

SparseEnd =
  0 present
  1 empty
  2 other { key: Hash, value_hash: Hash }

SparsePath = {
  end: SparseEnd
  siblings: List<Hash, SPARSE_PATH>
}

Format =
  0 probata-evidence

SetChange = {
  header: Header
  seal: Seal
  set: ValidatorSet
}

EvidenceFile = {
  format: Format
  version: u16
  suite: Suite
  chain: Hash
  made_at: Timestamp
  submission: WrittenSubmission
  record: Record
  record_place: WrittenPlace
  outcome: Outcome
  outcome_place: WrittenPlace
  header: WrittenHeader
  seal: WrittenSeal
  anchor: Option<WrittenAnchor>
  state: Option<WrittenState>
  events: Option<List<RecordId, EVIDENCE_EVENTS>>
  sets: List<WrittenChange, EVIDENCE_SETS>
  links: List<WrittenLink, EVIDENCE_LINKS>
  disclosures: List<Disclosure, DISCLOSURES>
}

WrittenSubmission = {
  head: WrittenHead
  signature: Base64<Signature>
  place: WrittenPlace
}

WrittenHead = {
  version: u16
  institution: InstitutionId
  key: PublicKey
  idempotency_key: IdempotencyKey
  submitted_at: Timestamp
  expires_at: Timestamp
  record_count: u32
  records_root: Base64<Hash>
}

WrittenPlace = {
  index: Index
  path: Base64<MerklePath>
}

WrittenHeader = {
  version: u16
  height: Height
  time: Timestamp
  parent: Base64<Hash>
  submission_count: u32
  submissions_root: Base64<Hash>
  record_count: u32
  outcomes_root: Base64<Hash>
  state_root: Base64<Hash>
  history_root: Base64<Hash>
  validators: Base64<Hash>
  next_validators: Base64<Hash>
  proposer: ValidatorIndex
}

WrittenSeal = {
  view: View
  validators: List<ValidatorIndex, VALIDATORS>
  signatures: Base64<List<Signature, VALIDATORS>>
}

WrittenAnchor = {
  header: WrittenHeader
  seal: WrittenSeal
  history_path: Base64<MerklePath>
}

WrittenState = {
  flow: WrittenFlow
  institution: WrittenInstitution
}

WrittenFlow = {
  value: FlowState
  path: WrittenPath
}

WrittenInstitution = {
  value: InstitutionState
  path: WrittenPath
}

WrittenPath = {
  end: SparseEnd
  siblings: Base64<List<Hash, SPARSE_PATH>>
}

WrittenChange = {
  header: WrittenHeader
  seal: WrittenSeal
  set: ValidatorSet
}

WrittenLink = {
  of: Height
  size: Height
  path: Base64<MerklePath>
}

Disclosure = {
  field: Text<128>
  salt: Salt
  value: DisclosedValue
}

DisclosedValue =
  0 text Text<VALUE_BYTES>
  1 hex HexBytes

CheckpointFormat =
  0 probata-checkpoint

Checkpoint = {
  format: CheckpointFormat
  version: u16
  suite: Suite
  chain: Hash
  made_at: Timestamp
  header: WrittenHeader
  seal: WrittenSeal
  sets: List<WrittenChange, EVIDENCE_SETS>
}

AbsenceFormat =
  0 probata-absence

Claim =
  0 no_guarantee { flow: FlowId, at: Height }
  1 not_recorded_before { sha256: Digest256, height: Height }

Found =
  0 nothing
  1 flow FlowState
  2 document Sighting

AbsenceFile = {
  format: AbsenceFormat
  version: u16
  suite: Suite
  chain: Hash
  made_at: Timestamp
  claim: Claim
  header: WrittenHeader
  seal: WrittenSeal
  found: Found
  path: WrittenPath
  later: List<WrittenOutcome, GUARANTEES_PER_FACILITY>
  sets: List<WrittenChange, EVIDENCE_SETS>
  links: List<WrittenLink, EVIDENCE_LINKS>
}

WrittenOutcome = {
  record: RecordId
  submission: SubmissionId
  outcome: Outcome
  place: WrittenPlace
  header: WrittenHeader
  history_path: Base64<MerklePath>
}

Batch = {
  submissions: List<Submission, BATCH_SUBMISSIONS>
}

BatchAnswer = {
  complete_to: Height
  blocks: List<SealedHeader, BATCH_SUBMISSIONS>
  fates: List<Fate, BATCH_SUBMISSIONS>
}

SealedHeader = {
  header: Header
  seal: Seal
}

Fate =
  0 Sealed { block: u32, receipt: Receipt }
  1 Pending
  2 Refused { status: u16, retry_after: Option<u32>, problem: Text<PROBLEM_BYTES> }

Receipt = {
  submission: u32
  submission_path: MerklePath
  first_record: u32
  outcomes: List<Outcome, RECORDS_PER_SUBMISSION>
  outcomes_path: RangePath
}

GenesisDocument = {
  format: Text<15>
  version: u16
  chain_name: ChainName
  suite: Suite
  created_at: Timestamp
  subject_key: Hash
  parameters: Parameters
  rule_pack: RulePack
  entries: List<SignedEntry, INSTITUTIONS>
}

Entry = {
  id: InstitutionId
  name: Name
  roles: List<Role, ROLES>
  group: Text<GROUP_BYTES>
  keys: List<PublicKey, SUBMISSION_KEYS>
  validator: Option<ValidatorNode>
  members: List<MemberNode, MEMBER_NODES>
}

Name = {
  zh: Text<NAME_BYTES>
  en: Text<NAME_BYTES>
}

ValidatorNode = {
  key: PublicKey
  node: PublicKey
  address: Address
}

MemberNode = {
  node: PublicKey
  address: Address
}

Proof = {
  key: PublicKey
  signature: Signature
}

SignedEntry = {
  entry: Entry
  proofs: List<Proof, PROOFS>
}

Parameters = {
  rotation: u64
  view_timeout: Millis
  view_timeout_cap: Millis
  retransmit: Millis
  heartbeat: Millis
  batch_delay: Millis
  precision: Millis
  message_delay: Millis
  inclusion_deadline: Millis
  max_submission_lifetime: Millis
  max_proposal_bytes: u64
  max_proposal_records: u64
  pending_per_institution: u64
}

Bounds
  RECORDS_PER_SUBMISSION = 1_024
  SUBMISSIONS_PER_PROPOSAL = 16_384
  BATCH_SUBMISSIONS = 1_024
  PROBLEM_BYTES = 4 * 1_024
  RECORDS_PER_PROPOSAL = 65_536
  VALIDATORS = 128
  FINDINGS_PER_RECORD = 32
  DOCUMENTS_PER_RECORD = 8
  SUBMITTERS_PER_FLOW = 32
  PENDING_DRAWDOWNS = 8
  GUARANTEES_PER_FACILITY = 4
  DEBTORS_PER_FACILITY = 16
  VERSIONS_PER_MODEL = 32
  KEYS_PER_INSTITUTION = 64
  SUBMISSION_KEYS = 8
  ROLES = 8
  NAME_BYTES = 256
  GROUP_BYTES = 128
  NODES_PER_INSTITUTION = 8
  SEATS_PER_MOTION = 16
  REASON_BYTES = 256
  SPARSE_PATH = 256
  EVIDENCE_EVENTS = 4_096
  EVIDENCE_SETS = 256
  EVIDENCE_LINKS = 4
  VALUE_BYTES = 1_024
  DISCLOSURES = 64
  INSTITUTIONS = 256
  MEMBER_NODES = 8
  PROOFS = SUBMISSION_KEYS + 2 + MEMBER_NODES
`;
