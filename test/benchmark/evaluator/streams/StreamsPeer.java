import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonToken;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.Properties;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicLong;
import org.apache.kafka.clients.consumer.ConsumerConfig;
import org.apache.kafka.common.serialization.Deserializer;
import org.apache.kafka.common.serialization.Serde;
import org.apache.kafka.common.serialization.Serdes;
import org.apache.kafka.streams.KafkaStreams;
import org.apache.kafka.streams.StreamsBuilder;
import org.apache.kafka.streams.StreamsConfig;
import org.apache.kafka.streams.kstream.Consumed;
import org.apache.kafka.streams.kstream.Grouped;
import org.apache.kafka.streams.kstream.KStream;
import org.apache.kafka.streams.kstream.Materialized;
import org.apache.kafka.streams.processor.api.Processor;
import org.apache.kafka.streams.processor.api.ProcessorContext;
import org.apache.kafka.streams.processor.api.Record;
import org.apache.kafka.streams.state.KeyValueStore;
import org.apache.kafka.streams.state.Stores;

/**
 * What a team would write with Kafka Streams: outcomes counted by model and version, exactly once, with errors and the
 * sum of latencies; no sequences, no buckets, no sketches. Says on standard output how many records it has seen.
 *
 *   java StreamsPeer (dsl | processor) brokers topic application-id state-folder
 */
public final class StreamsPeer {
  private static final JsonFactory JSON = new JsonFactory();
  private static final AtomicLong seen = new AtomicLong();
  private static final String STORE = "figures";

  private record Outcome(String model, String version, String status, double latencyMs) {}

  public static void main(String[] args) throws InterruptedException {
    StreamsBuilder builder = new StreamsBuilder();
    KStream<byte[], Outcome> outcomes =
        builder.stream(args[2], Consumed.with(Serdes.ByteArray(), Serdes.serdeFrom(StreamsPeer::neverWritten, new OutcomeReader())));
    if (args[0].equals("dsl")) aggregateByDsl(outcomes);
    else aggregateByProcessor(builder, outcomes);
    KafkaStreams streams = new KafkaStreams(builder.build(), settings(args));
    CountDownLatch stopped = new CountDownLatch(1);
    streams.setStateListener((now, before) -> {
      if (now == KafkaStreams.State.ERROR) System.exit(1);
    });
    Runtime.getRuntime().addShutdownHook(new Thread(() -> {
      streams.close(Duration.ofSeconds(5));
      stopped.countDown();
    }));
    streams.start();
    while (!stopped.await(10, java.util.concurrent.TimeUnit.MILLISECONDS)) System.out.println(seen.get());
  }

  /** As the manual shows it: an aggregation by another key goes through a topic of its own. */
  private static void aggregateByDsl(KStream<byte[], Outcome> outcomes) {
    outcomes
        .filter((key, outcome) -> outcome != null)
        .map((key, outcome) -> org.apache.kafka.streams.KeyValue.pair(nameOf(outcome), figuresOf(outcome)))
        .groupByKey(Grouped.with(Serdes.String(), Serdes.ByteArray()))
        .reduce(
            StreamsPeer::sum,
            Materialized.<String, byte[]>as(Stores.inMemoryKeyValueStore(STORE))
                .withKeySerde(Serdes.String())
                .withValueSerde(Serdes.ByteArray()));
  }

  /** Each partition for itself, as our slots are. */
  private static void aggregateByProcessor(StreamsBuilder builder, KStream<byte[], Outcome> outcomes) {
    builder.addStateStore(
        Stores.keyValueStoreBuilder(Stores.inMemoryKeyValueStore(STORE), Serdes.String(), Serdes.ByteArray())
            .withCachingEnabled());
    outcomes.process(FigureCounter::new, STORE);
  }

  private static byte[] neverWritten(String topic, Outcome outcome) {
    throw new UnsupportedOperationException();
  }

  private static final class FigureCounter implements Processor<byte[], Outcome, Void, Void> {
    private KeyValueStore<String, byte[]> store;

    @Override
    public void init(ProcessorContext<Void, Void> context) {
      store = context.getStateStore(STORE);
    }

    @Override
    public void process(Record<byte[], Outcome> record) {
      if (record.value() == null) return;
      String name = nameOf(record.value());
      byte[] before = store.get(name);
      byte[] more = figuresOf(record.value());
      store.put(name, before == null ? more : sum(before, more));
    }
  }

  private static String nameOf(Outcome outcome) {
    return outcome.model + '|' + outcome.version;
  }

  private static byte[] figuresOf(Outcome outcome) {
    long failed = outcome.status.equals("ok") ? 0 : 1;
    return ByteBuffer.allocate(24).putLong(1).putLong(failed).putDouble(outcome.latencyMs).array();
  }

  private static byte[] sum(byte[] a, byte[] b) {
    ByteBuffer x = ByteBuffer.wrap(a), y = ByteBuffer.wrap(b);
    ByteBuffer both = ByteBuffer.allocate(24);
    return both
        .putLong(x.getLong() + y.getLong())
        .putLong(x.getLong() + y.getLong())
        .putDouble(x.getDouble() + y.getDouble())
        .array();
  }

  /** Jackson's quickest way; null for what is no outcome. */
  private static final class OutcomeReader implements Deserializer<Outcome> {
    @Override
    public Outcome deserialize(String topic, byte[] bytes) {
      seen.incrementAndGet();
      String model = null, version = null, status = null;
      double latencyMs = 0;
      boolean isOutcome = false;
      try (JsonParser parser = JSON.createParser(bytes)) {
        parser.nextToken();
        while (parser.nextToken() == JsonToken.FIELD_NAME) {
          String field = parser.currentName();
          parser.nextToken();
          switch (field) {
            case "kind" -> isOutcome = parser.getText().equals("outcome");
            case "model" -> model = parser.getText();
            case "version" -> version = parser.getText();
            case "status" -> status = parser.getText();
            case "latencyMs" -> latencyMs = parser.getDoubleValue();
            default -> parser.skipChildren();
          }
        }
      } catch (java.io.IOException error) {
        return null;
      }
      return isOutcome ? new Outcome(model, version, status, latencyMs) : null;
    }
  }

  private static Properties settings(String[] args) {
    Properties settings = new Properties();
    settings.put(StreamsConfig.BOOTSTRAP_SERVERS_CONFIG, args[1]);
    settings.put(StreamsConfig.APPLICATION_ID_CONFIG, args[3]);
    settings.put(StreamsConfig.STATE_DIR_CONFIG, args[4]);
    settings.put(StreamsConfig.PROCESSING_GUARANTEE_CONFIG, StreamsConfig.EXACTLY_ONCE_V2);
    settings.put(StreamsConfig.NUM_STREAM_THREADS_CONFIG, 1);
    settings.put(StreamsConfig.REPLICATION_FACTOR_CONFIG, 1);
    settings.put(StreamsConfig.consumerPrefix(ConsumerConfig.AUTO_OFFSET_RESET_CONFIG), "earliest");
    return settings;
  }
}
