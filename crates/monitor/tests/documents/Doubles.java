import java.util.Random;
import java.util.TreeSet;

/**
 * Prints doubles as Java does: the bits in hexadecimal, then the text.
 * <pre>java Doubles.java 1 > doubles.txt</pre> with Java 8 to 18; Java 19 prints other digits.
 * The argument multiplies how many random ones there are.
 */
public class Doubles {
    private static final TreeSet<Long> ALL = new TreeSet<>(Long::compareUnsigned);

    private static void add(double value) {
        if (!Double.isNaN(value) && !Double.isInfinite(value)) {
            long bits = Double.doubleToRawLongBits(Math.abs(value));
            for (int near = -1; near <= 1; near++) {
                if (bits + near >= 0 && bits + near < 0x7ff0000000000000L) {
                    ALL.add(bits + near);
                }
            }
        }
    }

    public static void main(String[] arguments) {
        int many = Integer.parseInt(arguments[0]);
        Random random = new Random(20261);
        // Few significant bits, near the smallest and the largest.
        for (long bits = 0; bits < 150L * many; bits++) {
            ALL.add(bits);
            ALL.add(0x7fefffffffffffffL - bits);
            ALL.add(0x0010000000000000L + bits - 75L * many);
        }
        // Every power of two and of ten, and what is next to it.
        for (int exponent = -1074; exponent <= 1023; exponent += many > 1 ? 1 : 7) {
            add(Math.scalb(1.0, exponent));
        }
        for (int exponent = -323; exponent <= 308; exponent++) {
            add(Double.parseDouble((1 + random.nextInt(9)) + "e" + exponent));
        }
        for (int round = 0; round < 350 * many; round++) {
            // Any bits.
            ALL.add(random.nextLong() & 0x7fefffffffffffffL);
            // Decimals as data has them.
            ALL.add(Double.doubleToRawLongBits(Math.round(random.nextDouble() * 1e9) / Math.pow(10, random.nextInt(9))));
            ALL.add(Double.doubleToRawLongBits(random.nextDouble()));
            ALL.add(Double.doubleToRawLongBits(Math.exp(random.nextGaussian() * 8)));
            // Few digits, any exponent.
            ALL.add(Double.doubleToRawLongBits(
                    Double.parseDouble(random.nextInt(1000) + "e" + (random.nextInt(600) - 300))));
            // Few bits, any exponent.
            ALL.add(Double.doubleToRawLongBits(Math.scalb((double) random.nextInt(64), random.nextInt(2090) - 1070)));
            // Whole numbers beyond 2^53, and sums of such.
            ALL.add(Double.doubleToRawLongBits((double) (random.nextLong() >>> (1 + random.nextInt(12)))));
            ALL.add(Double.doubleToRawLongBits(random.nextInt(2000) * 1e18 / Math.pow(10, random.nextInt(4))));
            // Beside decimals of few digits that lie half-way: an odd number of 54 bits with many factors of five.
            long fives = 1;
            for (int power = 5 + random.nextInt(19); power > 0; power--) {
                fives *= 5;
            }
            long odd = (1L << 53) / fives + Math.floorMod(random.nextLong(), (1L << 53) / fives + 1);
            long twice = (odd | 1) * fives;
            add(Math.scalb((double) (twice / 2), 11 + random.nextInt(30)));
            add(Math.scalb((double) (twice / 2 + 1), 11 + random.nextInt(80)));
        }
        StringBuilder text = new StringBuilder();
        for (long bits : ALL) {
            text.append(Long.toHexString(bits)).append(' ').append(Double.longBitsToDouble(bits)).append('\n');
        }
        System.out.print(text);
    }
}
